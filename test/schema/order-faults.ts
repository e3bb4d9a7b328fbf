/** What `x-invalid` can say about a body of the built-in order, in order of precedence. */
export const orderFaults: readonly string[] = [
  '/ utf8',
  '/ json',
  '/ depth',
  '/ duplicate',
  '/ type',
  '/ required product_id',
  '/ required count',
  '/ required username',
  '/ additionalProperties',
  '/product_id type',
  '/product_id pattern',
  '/count type',
  '/count pattern',
  '/username type',
  '/username maxLength',
  '/username minLength',
  '/username pattern',
];

/** A fault without the name of the field that an order does not have: that is any name. */
export function orderFaultOf(fault: string): string {
  return fault.replace(/^(\/ additionalProperties) .*/, '$1');
}
