import { decimalText, isIntegerText } from '../model/decimal.js';
import {
  DERIVED,
  hashedKey,
  IDEMPOTENCY_KEY_CHARS_MAX,
  keyForId,
} from '../model/idempotency-key.js';

/** Finds the key in an order: compact JSON without repeated names. Empty if there is none. */
export type KeyIn = (order: Uint8Array) => string;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The reference tokens of a JSON pointer (RFC 6901). */
export function pointerTokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Whether this is a JSON pointer to a part of a value: not the empty one, which is the whole. */
export function isPointer(text: string): boolean {
  return text.startsWith('/') && !/~(?![01])/.test(text);
}

/** @param idempotencyFrom see the option. Null if it is no pointer */
export function keyFinder(idempotencyFrom: string): KeyIn | null {
  if (!isPointer(idempotencyFrom)) return null;
  const path = pointerTokens(idempotencyFrom).map((token) => ({
    token,
    bytes: Buffer.from(token),
  }));
  return (order) => {
    let at = 0;
    for (const { token, bytes } of path) {
      if (order[at] === OPEN_BRACE) at = memberAt(order, at, token, bytes);
      else if (order[at] === OPEN_BRACKET) at = itemAt(order, at, token);
      else return '';
      if (at < 0) return '';
    }
    return keyOf(order, at);
  };
}

/** The value of a member of the object at `start`; -1 if it has none of that name. */
function memberAt(bytes: Uint8Array, start: number, token: string, name: Uint8Array): number {
  let at = start + 1;
  while (bytes[at] === QUOTE) {
    const nameEnd = stringEnd(bytes, at);
    const isIt = isName(bytes.subarray(at + 1, nameEnd - 1), token, name);
    // Behind the colon.
    const valueAt = nameEnd + 1;
    if (isIt) return valueAt;
    const end = valueEnd(bytes, valueAt);
    if (bytes[end] !== COMMA) return -1;
    at = end + 1;
  }
  return -1;
}

/** @param spelled what stands between the quotes */
function isName(spelled: Uint8Array, token: string, name: Uint8Array): boolean {
  if (spelled.includes(BACKSLASH)) return textOf(spelled) === token;
  return Buffer.compare(spelled, name) === 0;
}

/** The item of the array at `start`; -1 if it has none of that index. */
function itemAt(bytes: Uint8Array, start: number, token: string): number {
  if (!/^(?:0|[1-9]\d{0,8})$/.test(token) || bytes[start + 1] === CLOSE_BRACKET) return -1;
  let at = start + 1;
  for (let left = Number(token); left > 0; left--) {
    const end = valueEnd(bytes, at);
    if (bytes[end] !== COMMA) return -1;
    at = end + 1;
  }
  return at;
}

/** The offset behind the string at `start`. */
function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** The offset behind the value at `start`. */
function valueEnd(bytes: Uint8Array, start: number): number {
  if (bytes[start] === QUOTE) return stringEnd(bytes, start);
  let at = start;
  let depth = 0;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      at = stringEnd(bytes, at);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (byte === COMMA && depth === 0) return at;
    at++;
  }
  return at;
}

/** Empty if the value is neither a text with at least one character nor an integer. */
function keyOf(bytes: Uint8Array, at: number): string {
  if (bytes[at] === QUOTE) {
    const text = textOf(bytes.subarray(at + 1, stringEnd(bytes, at) - 1));
    return text === '' ? '' : keyForId(text, HALF_PAIR.test(text) ? 'utf16le' : 'utf8');
  }
  const number = Buffer.from(bytes.subarray(at, valueEnd(bytes, at))).toString('latin1');
  return integerKey(number);
}

/** A surrogate without its other half: UTF-8 has the same replacement for all of them. */
const HALF_PAIR = /\p{Cs}/u;

function textOf(spelled: Uint8Array): string {
  const text = Buffer.from(spelled).toString('utf8');
  return spelled.includes(BACKSLASH) ? (JSON.parse(`"${text}"`) as string) : text;
}

/**
 * `int:` and the value, so that all spellings of a number have one key (1, 1.0, 10e-1), and the text "1" has another. Exact:
 * a float would merge large ids.
 */
function integerKey(number: string): string {
  const first = number[0]!;
  if (first !== '-' && (first < '0' || first > '9')) return '';
  const decimal = decimalText(number);
  if (!isIntegerText(decimal)) return '';
  const key = `${DERIVED.integer}${decimal}`;
  return key.length <= IDEMPOTENCY_KEY_CHARS_MAX ? key : hashedKey(key, 'latin1');
}
