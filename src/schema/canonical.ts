import { decimalText } from '../model/decimal.js';
import { orderSchema } from '../model/order.js';

/**
 * Names that come before all others, in this order. With them, the canonical form of a built-in order is the compact line
 * that version 0.2.0 stored and hashed, so idempotency keys survive an upgrade.
 */
const FIRST_NAMES: readonly string[] = orderSchema.required;

/** The order of two different names in the canonical form: `FIRST_NAMES`, then by UTF-16 code units. */
function compareNames(a: string, b: string): number {
  const [first, second] = [rank(a), rank(b)];
  if (first !== second) return first - second;
  return a < b ? -1 : 1;
}

function rank(name: string): number {
  const index = FIRST_NAMES.indexOf(name);
  return index === -1 ? FIRST_NAMES.length : index;
}

/**
 * The canonical form of valid JSON: the same text for every spelling of a value, whatever schema it was validated with.
 * Without white space; members sorted by `compareNames`; strings as JSON.stringify writes them; numbers by their exact
 * decimal value, so that `1.0` is `1`, and integers that differ only beyond the precision of a double stay different.
 */
export function canonicalJson(text: string): string {
  const open: Container[] = [];
  let done = '';
  let at = 0;
  while (at < text.length) {
    const c = text[at]!;
    if (c === '{' || c === '[') {
      open.push({ isObject: c === '{', name: null, members: [] });
      at++;
    } else if (c === '}' || c === ']') {
      done = close(open.pop()!);
      if (open.length > 0) add(open.at(-1)!, done);
      at++;
    } else if (!BETWEEN.includes(c)) {
      const end = c === '"' ? endOfString(text, at) : endOfWord(text, at);
      done = canonicalScalar(text.slice(at, end));
      if (open.length > 0) add(open.at(-1)!, done);
      at = end;
    } else {
      at++;
    }
  }
  return done;
}

/** Characters between values. */
const BETWEEN = ' \t\r\n,:';

/** An object or array that is not closed yet. */
interface Container {
  readonly isObject: boolean;
  /** In an object: the name of which the value comes next, as JSON. */
  name: string | null;
  /** Canonical values; the names are empty in an array. */
  readonly members: { readonly name: string; readonly value: string }[];
}

function add(container: Container, value: string): void {
  const { isObject, name, members } = container;
  if (isObject && name === null) {
    container.name = value;
    return;
  }
  members.push({ name: name ?? '', value });
  container.name = null;
}

function close({ isObject, members }: Container): string {
  if (!isObject) return `[${members.map(({ value }) => value).join()}]`;
  const named = members.map((member) => ({ ...member, key: JSON.parse(member.name) as string }));
  named.sort((a, b) => compareNames(a.key, b.key));
  return `{${named.map(({ name, value }) => `${name}:${value}`).join()}}`;
}

/** From an opening quote: the offset after the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfWord(text: string, start: number): number {
  let at = start;
  while (at < text.length && !ENDS.includes(text[at]!)) at++;
  return at;
}

/** Characters after a number or a literal. */
const ENDS = `${BETWEEN}}]`;

function canonicalScalar(text: string): string {
  const c = text[0]!;
  if (c === '"') return text.includes('\\') ? JSON.stringify(JSON.parse(text)) : text;
  return c === '-' || (c >= '0' && c <= '9') ? decimalText(text) : text;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ORDER_NAMES = FIRST_NAMES.map((name) => new TextEncoder().encode(`{,"${name}":`));

/**
 * Whether compact text of valid JSON is certainly in canonical form: an object of strings without escapes, with the members of
 * `FIRST_NAMES` and no others. That is the built-in order as nearly every client sends it; all other texts take longer.
 */
export function isCanonical(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  for (const name of ORDER_NAMES) {
    // The first is after a brace, the others after a comma.
    if (bytes[at] !== name[at === start ? 0 : 1]) return false;
    for (let i = 2; i < name.length; i++) if (bytes[++at] !== name[i]) return false;
    if (bytes[++at] !== QUOTE) return false;
    for (at++; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) return false;
    at++;
  }
  return at === end - 1;
}
