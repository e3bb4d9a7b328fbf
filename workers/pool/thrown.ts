/**
 * What a handler threw, in a few hundred characters. A handler may throw anything: an error with a message of 100 MB, an
 * object whose members throw when they are read, a revoked proxy. What crosses to the drain thread must be small, and
 * describing it must not fail.
 */
import { getHeapStatistics } from 'node:v8';
import { whereThrown } from '../../src/log/format.js';
import type { ThrownByHandler } from '../../src/model/order.js';
import type { Failure } from '../../src/model/pool-messages.js';

/** Upper bound of a message when it is kept as a reason. */
export const REASON_CHARS_MAX = 500;
const NAME_CHARS_MAX = 100;
const WHERE_CHARS_MAX = 300;
const STACK_CHARS_MAX = 4000;
/** Members of an object that are named. */
const MEMBERS_MAX = 5;

/** As in `ECONNREFUSED`, `ERR_INVALID_URL` or `P0001`. */
const CODE = /^[A-Z][A-Z0-9_]{1,39}$/;
/** Control characters, line ends, and characters that reorder a line. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Up to this length, a message can be read without looking at the heap first. */
const LONG_CHARS = 100_000;
/** Reading a string that was joined from parts copies it, with up to two bytes per character. */
const COPY_BYTES_PER_CHAR = 4;

/** A text may have so many times the characters that are left of it in one line. */
const SPACES_MAX = 4;

const UNREADABLE = 'a value that cannot be read';

/** The message of what was thrown, in one line. Never throws. */
export function reasonOf(thrown: unknown, charsMax = REASON_CHARS_MAX): string {
  return orElse(UNREADABLE, () => oneLine(messageOf(thrown), charsMax));
}

/** So much of a reason as is kept. */
export function cutReason(text: string): string {
  return text.slice(0, REASON_CHARS_MAX).toWellFormed();
}

/** Why orders failed whose handler threw: only the dead letter gets the message, which may quote an order. Never throws. */
export function thrownFailure(thrown: unknown): Failure {
  const reason = reasonOf(thrown);
  const shown = `the handler threw ${placeOf(thrown)}`;
  return { reason: reason === '' ? shown : reason, shown, kind: `threw ${kindOf(thrown)}` };
}

/** Class and place of what was thrown, without its message. Never throws. */
export function placeOf(thrown: unknown): string {
  return orElse(UNREADABLE, () => {
    const message = thrown instanceof Error ? thrown.message : '';
    // The stack contains the message.
    if (typeof message === 'string' && message.length > LONG_CHARS) return nameOf(thrown);
    return oneLine(whereThrown(thrown), WHERE_CHARS_MAX);
  });
}

/** Whether what was thrown has this member with the value `true`. Never throws. */
export function hasFlag(thrown: unknown, flag: 'pause' | 'dead'): boolean {
  return orElse(false, () => (thrown as ThrownByHandler | null | undefined)?.[flag] === true);
}

/** The longest wait that a handler can ask for; milliseconds. */
const RETRY_AFTER_MS_MAX = 86_400_000;

/**
 * Milliseconds that a handler asks to wait, from 0 to a day. Null if it asks for nothing, NaN if what it says is no number.
 * Never throws.
 */
export function retryAfterMsOf(said: unknown): number | null {
  return orElse(Number.NaN, () => {
    const ms = (said as ThrownByHandler | null | undefined)?.retryAfterMs;
    if (ms === undefined || ms === null) return null;
    if (typeof ms !== 'number' || Number.isNaN(ms)) return Number.NaN;
    return Math.ceil(Math.min(Math.max(0, ms), RETRY_AFTER_MS_MAX));
  });
}

/** A value in an error message: a primitive as in code, anything else by its class. Never throws. */
export function valueText(value: unknown, charsMax = NAME_CHARS_MAX): string {
  return orElse(UNREADABLE, () => {
    if (value === null) return 'null';
    if (Array.isArray(value)) return `an array of ${value.length}`;
    if (isPromise(value)) return 'a promise';
    if (typeof value === 'function') return 'a function';
    if (typeof value === 'object') return objectText(value);
    if (typeof value === 'string') return `'${oneLine(value, charsMax)}'`;
    // Its text can have millions of digits.
    if (typeof value === 'bigint') return `${BigInt.asIntN(64, value)}n`;
    if (typeof value === 'symbol')
      return `Symbol(${oneLine(value.description ?? '', NAME_CHARS_MAX)})`;
    return String(value);
  });
}

export function isPromise(value: unknown): boolean {
  return orElse(false, () => typeof (value as PromiseLike<unknown> | null)?.then === 'function');
}

function objectText(value: object): string {
  const { constructor: made } = value;
  const name = typeof made === 'function' ? oneLine(made.name, NAME_CHARS_MAX) : '';
  if (name !== '' && name !== 'Object') return `an object of class ${name}`;
  const members = Object.keys(value).slice(0, MEMBERS_MAX + 1);
  if (members.length === 0) return 'an object without members';
  const more = members.length > MEMBERS_MAX ? ', …' : '';
  const names = members.slice(0, MEMBERS_MAX).join(', ');
  return `an object with ${oneLine(names, NAME_CHARS_MAX)}${more}`;
}

const BUILT_IN = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError];

/**
 * A copy that is small enough for another thread: message and stack are cut, and members such as `cause` are left out.
 * Never throws.
 */
export function cutError(thrown: unknown): Error {
  const isKind = (kind: ErrorConstructor) => orElse(false, () => thrown instanceof kind);
  const error = new (BUILT_IN.find(isKind) ?? Error)(reasonOf(thrown));
  error.stack = `Error: ${error.message}\n    ${orElse('', () => stackOf(thrown))}`;
  return error;
}

function stackOf(thrown: unknown): string {
  const { message, stack } = thrown as Error;
  if (message.length > LONG_CHARS) return '';
  return stack!
    .slice(stack!.indexOf(message) + message.length)
    .trim()
    .slice(0, STACK_CHARS_MAX);
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (typeof thrown !== 'object' || thrown === null) return valueText(thrown);
  // Not only of an Error: one from another realm is no instance of this realm's class.
  const { message } = thrown as { readonly message?: unknown };
  return typeof message === 'string' ? message : valueText(thrown);
}

/** Class and code, such as `TypeError` or `Error ECONNREFUSED`. */
function kindOf(thrown: unknown): string {
  return orElse(UNREADABLE, () => {
    if (!(thrown instanceof Error)) return whereThrown(thrown);
    const { code } = thrown as NodeJS.ErrnoException;
    const isCode = typeof code === 'string' && CODE.test(code);
    return isCode ? `${nameOf(thrown)} ${code}` : nameOf(thrown);
  });
}

function nameOf(thrown: unknown): string {
  return oneLine((thrown as Error).constructor.name, NAME_CHARS_MAX);
}

/** The beginning of a text, in one line that a terminal and JSON can show. */
export function oneLine(text: string, charsMax: number): string {
  if (text.length > LONG_CHARS && text.length * COPY_BYTES_PER_CHAR > freeHeapBytes()) {
    return `a text of ${text.length} characters`;
  }
  // Before it is cut: what is left must be as long as the caller needs it.
  const read = text.slice(0, SPACES_MAX * charsMax);
  const line = read.replace(CONTROLS, ' ').replace(/\s+/g, ' ').trim();
  // A cut can leave half of a character.
  return line.slice(0, charsMax).toWellFormed();
}

function freeHeapBytes(): number {
  return getHeapStatistics().total_available_size;
}

function orElse<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}
