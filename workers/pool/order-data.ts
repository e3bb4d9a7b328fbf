/**
 * What a handler says about an order may quote it, and log and metrics must not hold what clients send. So the values of
 * the order are taken out of the text before it goes there. This finds a value as a whole, also as JSON and in other case, and
 * not what a handler has made of it.
 */
import type { Order } from '../../src/model/order.js';
import { oneLine } from './thrown.js';

type OrderContent = Pick<Order<unknown>, 'data' | 'headers'>;

/** What a value is replaced by. */
const GONE = '…';
/** A pattern that is found nowhere. */
const NOTHING = '(?!)';
/** Values that are looked for. Beyond them, nothing is shown. */
const VALUES_MAX = 10_000;
/** Of a longer value, what begins like it is removed up to the end of the text. */
const VALUE_CHARS_MAX = 64;
/** So much of a value is read to find how it begins: in one line, it can be shorter. */
const READ_CHARS_MAX = 1024;
/** A shorter value is removed only where it is a word: an order for `a` must not take the letter out of all words. */
const WORD_CHARS_MAX = 5;

/** So much of a text must be given for `charsMax` characters without data: a value may begin at the last of them. */
export function charsNeeded(charsMax: number): number {
  return charsMax + VALUE_CHARS_MAX;
}

/** How a value begins, in one line; and whether it goes on. */
type Values = Map<string, boolean>;

/**
 * The first `charsMax` characters of the text, without the values of the orders.
 *
 * @param text made by `oneLine`, of `charsNeeded(charsMax)` characters if it is that long
 */
export function withoutData(
  text: string,
  orders: Iterable<OrderContent>,
  charsMax = Number.POSITIVE_INFINITY,
): string {
  const values: Values = new Map();
  for (const { data, headers } of orders) {
    if (!collect(data, values) || !collect(headers, values)) return GONE;
  }
  const lower = text.toLowerCase();
  const found = [...values].filter(([start]) => lower.includes(start.toLowerCase()));
  // Of two values that begin at the same place, the longer one is removed.
  found.sort(([one], [other]) => other.length - one.length);
  const pattern = new RegExp(found.map(patternOf).join('|') || NOTHING, 'giu');
  let shown = '';
  let at = 0;
  // What begins later may be a part of a value, which is not found.
  for (const { 0: value, index } of text.matchAll(pattern)) {
    if (index >= charsMax) break;
    shown += text.slice(at, index) + GONE;
    at = index + value.length;
  }
  return (shown + text.slice(at, Math.max(at, charsMax))).toWellFormed();
}

function patternOf([start, goesOn]: [string, boolean]): string {
  const escaped = start.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  if (goesOn) return `${escaped}.*`;
  return start.length > WORD_CHARS_MAX
    ? escaped
    : `(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`;
}

/** Adds the texts and numbers of a JSON value, without names. False if there are too many. */
function collect(root: unknown, values: Values): boolean {
  const rest = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value === 'string') addText(value, values);
    else if (typeof value === 'number') values.set(String(value), false);
    else if (typeof value === 'object' && value !== null) {
      for (const member of Object.values(value)) rest.push(member);
    }
    if (values.size > VALUES_MAX) return false;
  }
  return true;
}

function addText(value: string, values: Values): void {
  const read = value.slice(0, READ_CHARS_MAX);
  for (const spelled of [read, JSON.stringify(read).slice(1, -1)]) {
    const line = oneLine(spelled, READ_CHARS_MAX);
    const goesOn = line.length > VALUE_CHARS_MAX || value.length > READ_CHARS_MAX;
    // Half of a character is not found in a whole one.
    const start = line
      .slice(0, VALUE_CHARS_MAX)
      .replace(/[\ud800-\udbff]$/, '')
      .trim();
    if (start !== '') values.set(start, goesOn || values.get(start) === true);
  }
}
