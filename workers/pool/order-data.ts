/**
 * What a handler says about an order may quote it, and log and metrics must not hold what clients send. So the values of
 * the order are taken out of the text before it goes there. This finds a value as a whole, also as JSON and in other case, and
 * not what a handler has made of it.
 */
import type { Order } from '../../src/model/order.js';

type OrderContent = Pick<Order<unknown>, 'data' | 'headers'>;

/** What a value is replaced by. */
const GONE = '…';
/** Values that are looked for. Beyond them, nothing is shown. */
const VALUES_MAX = 10_000;
/** Of a longer value, what begins like it is removed up to the end of the text. */
const VALUE_CHARS_MAX = 64;
/** A shorter value is removed only where it is a word: an order for `a` must not take the letter out of all words. */
const WORD_CHARS_MAX = 5;

/** So much of a text must be given for `charsMax` characters without data: a value may begin at the last of them. */
export function charsNeeded(charsMax: number): number {
  return charsMax + VALUE_CHARS_MAX;
}

/**
 * The text without the values of the orders.
 *
 * @param text in one line, with single spaces
 */
export function withoutData(text: string, orders: Iterable<OrderContent>): string {
  const values = new Set<string>();
  for (const { data, headers } of orders) {
    if (!collect(data, values) || !collect(headers, values)) return GONE;
  }
  const lower = text.toLowerCase();
  const found = [...values].filter((value) => isIn(lower, value));
  if (found.length === 0) return text;
  // Of two values that begin at the same place, the longer one is removed.
  found.sort((one, other) => other.length - one.length);
  return text.replace(new RegExp(found.map(patternOf).join('|'), 'giu'), GONE);
}

/** A cheap test for the many values that are not there. */
function isIn(lower: string, value: string): boolean {
  return lower.includes(value.slice(0, VALUE_CHARS_MAX).toLowerCase());
}

function patternOf(value: string): string {
  const escaped = value.slice(0, VALUE_CHARS_MAX).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  if (value.length > VALUE_CHARS_MAX) return `${escaped}.*`;
  return value.length > WORD_CHARS_MAX
    ? escaped
    : `(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`;
}

/** Adds the texts and numbers of a JSON value, without names. False if there are too many. */
function collect(root: unknown, values: Set<string>): boolean {
  const rest = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value === 'string') addText(value, values);
    else if (typeof value === 'number') values.add(String(value));
    else if (typeof value === 'object' && value !== null) {
      for (const member of Object.values(value)) rest.push(member);
    }
    if (values.size > VALUES_MAX) return false;
  }
  return true;
}

function addText(value: string, values: Set<string>): void {
  const start = value.slice(0, VALUE_CHARS_MAX + 1);
  for (const spelled of [start, JSON.stringify(start).slice(1, -1)]) {
    const line = spelled.replace(/\s+/g, ' ').trim();
    if (line !== '') values.add(line);
  }
}
