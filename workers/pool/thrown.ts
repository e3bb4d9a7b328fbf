/**
 * What a handler threw, in a few hundred characters. A handler may throw anything: an error with a message of 100 MB, an
 * object whose members throw when they are read, a revoked proxy. What crosses to the main thread must be small, and
 * describing it must not fail.
 */
import { getHeapStatistics } from 'node:v8';
import { whereThrown } from '../../src/log/format.js';
import type { ThrownByHandler } from '../../src/model/order.js';

/** Upper bound of a message when it is kept as a reason. */
const REASON_CHARS_MAX = 500;
const NAME_CHARS_MAX = 100;
const WHERE_CHARS_MAX = 300;
const STACK_CHARS_MAX = 4000;

/** Up to this length, a message can be read without looking at the heap first. */
const LONG_CHARS = 100_000;
/** Reading a string that was joined from parts copies it, with up to two bytes per character. */
const COPY_BYTES_PER_CHAR = 4;

const UNREADABLE = 'a value that cannot be read';

/** The message of what was thrown, in one line. Never throws. */
export function reasonOf(thrown: unknown): string {
  return orElse(UNREADABLE, () => oneLine(messageOf(thrown), REASON_CHARS_MAX));
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
export function hasFlag(thrown: unknown, flag: keyof ThrownByHandler): boolean {
  return orElse(false, () => (thrown as ThrownByHandler | null | undefined)?.[flag] === true);
}

/** A value in an error message: a primitive by its text, anything else by its type. Never throws. */
export function valueText(value: unknown): string {
  return orElse(UNREADABLE, () => {
    if (value === null) return 'null';
    if (Array.isArray(value)) return `an array of ${value.length}`;
    if (typeof value === 'object' || typeof value === 'function')
      return `a value of type ${typeof value}`;
    // Its text can have millions of digits.
    if (typeof value === 'bigint') return `${BigInt.asIntN(64, value)}`;
    return oneLine(
      typeof value === 'symbol' ? (value.description ?? '') : String(value),
      NAME_CHARS_MAX,
    );
  });
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

function nameOf(thrown: unknown): string {
  return oneLine((thrown as Error).constructor.name, NAME_CHARS_MAX);
}

function oneLine(text: string, charsMax: number): string {
  if (text.length > LONG_CHARS && text.length * COPY_BYTES_PER_CHAR > freeHeapBytes()) {
    return `a text of ${text.length} characters`;
  }
  return text.slice(0, charsMax).replace(/\s+/g, ' ');
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
