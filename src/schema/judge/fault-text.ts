import type { ErrorObject } from 'ajv';

/** Longest JSON pointer in a fault text; characters. */
const POINTER_CHARS_MAX = 256;
/** Longest name of a member in a fault text; characters. */
const NAME_CHARS_MAX = 128;
const CUT = '...';

/**
 * The `x-invalid` header value `<pointer> <keyword>[ <member>]`. `pointer` is the JSON pointer of the invalid value, or
 * `/` for the whole body. `member` is the missing member of `required`. Always visible ASCII and at most
 * `FAULT_CHARS_MAX` characters. The only parts of the body in it are the names of members in the pointer.
 */
export function faultText(pointer: string, keyword: string, member = ''): string {
  const where = pointer === '' ? '/' : visible(pointer, POINTER_CHARS_MAX);
  return member === ''
    ? `${where} ${keyword}`
    : `${where} ${keyword} ${visible(member, NAME_CHARS_MAX)}`;
}

/** `<pointer> unevaluatedProperties <member>`; no other keyword is longer. */
export const FAULT_CHARS_MAX =
  POINTER_CHARS_MAX + 1 + 'unevaluatedProperties'.length + 1 + NAME_CHARS_MAX;

/** The fault text of an error of ajv. @param instancePath where the value is that ajv has validated, in the body */
export function faultOf(error: ErrorObject, instancePath = ''): string {
  // The schema `false`.
  const keyword = error.keyword === 'false schema' ? 'false' : error.keyword;
  const { missingProperty } = error.params;
  return faultText(instancePath + error.instancePath, keyword, missingProperty);
}

/** Visible ASCII, with the bytes of all other characters and `%` percent-encoded, as in the URI form of a JSON pointer. */
function visible(text: string, charsMax: number): string {
  // Enough characters to reach the bound, so that a long name costs nothing.
  const head = text.length > charsMax ? text.slice(0, charsMax) : text;
  const encoded = head.replace(/[^!-$&-~]+/g, percentEncoded);
  const isWhole = head === text && encoded.length <= charsMax;
  return isWhole ? encoded : encoded.slice(0, charsMax - CUT.length).replace(/%[^%]?$/, '') + CUT;
}

function percentEncoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex').toUpperCase().replace(/../g, '%$&');
}
