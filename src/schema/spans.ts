/** Where the three values of an order stand in its body: offsets of their bytes, quotes excluded. */
export class OrderSpans {
  productIdStart = 0;
  productIdEnd = 0;
  countStart = 0;
  countEnd = 0;
  usernameStart = 0;
  usernameEnd = 0;
}
