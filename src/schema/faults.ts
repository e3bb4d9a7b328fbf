/** What the validator and its two paths return besides a fault code. */
export const VALID = 0;
/** Only from the scanner: the judge must decide. */
export const ASK = -1;

/**
 * The fault codes, in order of precedence: if a body has several faults, the lowest code is reported. First the bytes,
 * then the text, then the object, then its members in schema order. The judge checks in this order, so it can stop
 * at the first fault.
 */
export const FAULT = {
  utf8: 1,
  json: 2,
  depth: 3,
  duplicate: 4,
  type: 5,
  requiredProductId: 6,
  requiredCount: 7,
  requiredUsername: 8,
  additionalProperties: 9,
  productIdType: 10,
  productIdPattern: 11,
  countType: 12,
  countPattern: 13,
  usernameType: 14,
  usernameMaxLength: 15,
  usernameMinLength: 16,
  usernamePattern: 17,
} as const;

/**
 * The `x-invalid` header value of each code: `<where> <keyword>[ <member>]`. `where` is the JSON pointer of the invalid
 * member, or `/` for the whole body. `keyword` is the keyword of JSON Schema that failed, or `utf8`, `json`,
 * `depth`, `duplicate`. `member` is the missing member of `required`. The value never contains what the client sent.
 */
export const faultTexts: readonly string[] = [
  '',
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
