/** Crockford's base 32, the alphabet of ULID. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARS = 10;
const ORDER_ID = /^[0-9A-HJKMNP-TV-Z]{26}-\d+$/;

/**
 * When the server accepted an order: the first ten characters of its id are the epoch
 * milliseconds at which its frame was begun.
 *
 * @param {unknown} orderId the header `x-order-id`
 * @returns {number} epoch milliseconds; NaN when it is not an order id
 */
export function acceptedAtMs(orderId) {
  if (typeof orderId !== 'string' || !ORDER_ID.test(orderId)) return Number.NaN;
  let ms = 0;
  for (let i = 0; i < TIME_CHARS; i++) ms = ms * 32 + ALPHABET.indexOf(orderId.charAt(i));
  return ms;
}
