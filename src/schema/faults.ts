/** What the validator and its two paths answer besides a fault code. */
export const VALID = 0;
/** Only from the scanner: it can't tell, the slow path must. */
export const ASK = -1;

/**
 * The fault codes, in order of precedence: where a body has several faults, the lowest code is
 * named. First the bytes, then the text, then the object, then its members in schema order: the
 * order in which the slow path meets them, so that it may stop at the first.
 */
export const FAULT = {
  utf8: 1,
  json: 2,
  duplicate: 3,
  type: 4,
  requiredProductId: 5,
  requiredCount: 6,
  requiredUsername: 7,
  additionalProperties: 8,
  productIdType: 9,
  productIdPattern: 10,
  countType: 11,
  countPattern: 12,
  usernameType: 13,
  usernameMaxLength: 14,
  usernameMinLength: 15,
  usernamePattern: 16,
} as const;

/**
 * The `x-invalid` header value of each code: `<where> <keyword>[ <member>]`. `where` is the JSON
 * pointer of the faulty member, `/` for the body as a whole; `keyword` is the one of JSON Schema that
 * failed, or `utf8`, `json`, `duplicate`; `member` is the one that `required` misses. Nothing that
 * the client sent is ever in it.
 */
export const faultTexts: readonly string[] = [
  '',
  '/ utf8',
  '/ json',
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
