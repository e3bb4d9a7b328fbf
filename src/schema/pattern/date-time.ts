/**
 * The formats date, time, date-time, iso-time and iso-date-time with the verdicts of ajv-formats 3 (mode full), over bytes.
 * Its rules differ from RFC 3339 in places, and are kept: an hour of 24 can be valid in a leap second, if the offset brings it
 * to 23:59 UTC; an offset can lack its colon or its minutes; a space or a t can separate date and time.
 *
 * Each function takes the place of the byte after the opening quote, and returns the place after the closing quote, or -1: then
 * the value is not valid, or so rare that the judge decides (an escape, a separator beyond ASCII, a fraction of a second that a
 * float rounds up). `bytes` may end anywhere.
 */
export type ByteCheck = (bytes: Uint8Array, at: number) => number;

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const SPACE = 0x20;
const DATE_LENGTH = 10;
const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/**
 * ajv-formats compares the seconds as a float. Below 60 a float rounds to 60 from 15 nines behind the dot on, and similarly at
 * 61. So many leave the verdict to it.
 */
const NINES_MAX = 13;

export function dateEnd(bytes: Uint8Array, at: number): number {
  const end = at + DATE_LENGTH;
  return isDate(bytes, at) && bytes[end] === QUOTE ? end + 1 : -1;
}

export function timeEnd(bytes: Uint8Array, at: number): number {
  return clockEnd(bytes, at, true);
}

export function isoTimeEnd(bytes: Uint8Array, at: number): number {
  return clockEnd(bytes, at, false);
}

export function dateTimeEnd(bytes: Uint8Array, at: number): number {
  return isDateAndSeparator(bytes, at) ? clockEnd(bytes, at + DATE_LENGTH + 1, true) : -1;
}

export function isoDateTimeEnd(bytes: Uint8Array, at: number): number {
  return isDateAndSeparator(bytes, at) ? clockEnd(bytes, at + DATE_LENGTH + 1, false) : -1;
}

function isDateAndSeparator(bytes: Uint8Array, at: number): boolean {
  const separator = bytes[at + DATE_LENGTH];
  const isSeparator = (separator | 0x20) === 0x74 || separator === SPACE;
  return isSeparator && isDate(bytes, at);
}

function isDate(bytes: Uint8Array, at: number): boolean {
  const century = twoDigits(bytes, at);
  const yearOfCentury = twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if ((century | yearOfCentury | month | day) < 0) return false;
  if (bytes[at + 4] !== MINUS || bytes[at + 7] !== MINUS) return false;
  if (month < 1 || month > 12 || day < 1) return false;
  if (month !== 2 || day !== 29) return day <= DAYS[month];
  const isLeapCentury = (century & 3) === 0;
  return yearOfCentury === 0 ? isLeapCentury : (yearOfCentury & 3) === 0;
}

/** The time of day, with its offset, up to and with the quote. */
function clockEnd(bytes: Uint8Array, at: number, isOffsetRequired: boolean): number {
  const hour = twoDigits(bytes, at);
  const minute = twoDigits(bytes, at + 3);
  const second = twoDigits(bytes, at + 6);
  if ((hour | minute | second) < 0 || bytes[at + 2] !== COLON || bytes[at + 5] !== COLON) return -1;
  at += 8;
  if (bytes[at] === DOT) {
    at = fractionEnd(bytes, at + 1);
    if (at < 0) return -1;
  }
  const byte = bytes[at];
  if (byte === QUOTE) {
    return !isOffsetRequired && isTime(hour, minute, second, 0, 0) ? at + 1 : -1;
  }
  if ((byte | 0x20) === 0x7a) {
    return isTime(hour, minute, second, 0, 0) && bytes[at + 1] === QUOTE ? at + 2 : -1;
  }
  if (byte !== PLUS && byte !== MINUS) return -1;
  const sign = byte === MINUS ? -1 : 1;
  const hours = twoDigits(bytes, at + 1);
  at += 3;
  let minutes = 0;
  if (bytes[at] !== QUOTE) {
    if (bytes[at] === COLON) at += 1;
    minutes = twoDigits(bytes, at);
    at += 2;
  }
  if ((hours | minutes) < 0 || hours > 23 || minutes > 59 || bytes[at] !== QUOTE) return -1;
  return isTime(hour, minute, second, hours * sign, minutes * sign) ? at + 1 : -1;
}

/** @param hours and `minutes`: the offset from UTC, both with its sign */
function isTime(
  hour: number,
  minute: number,
  second: number,
  hours: number,
  minutes: number,
): boolean {
  if (hour <= 23 && minute <= 59 && second < 60) return true;
  const utcMinute = minute - minutes;
  const utcHour = hour - hours - (utcMinute < 0 ? 1 : 0);
  const isLast = (utcHour === 23 || utcHour === -1) && (utcMinute === 59 || utcMinute === -1);
  return isLast && second < 61;
}

/** @returns the place after the digits of a fraction, or -1 */
function fractionEnd(bytes: Uint8Array, at: number): number {
  const first = at;
  let nines = 0;
  for (; isDigit(bytes[at]); at += 1) {
    if (bytes[at] === 0x39 && nines === at - first) nines += 1;
  }
  return at === first || nines > NINES_MAX ? -1 : at;
}

/** @returns 0 to 99, or -1 */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at];
  const ones = bytes[at + 1];
  return isDigit(tens) && isDigit(ones) ? tens * 10 + ones - 0x30 * 11 : -1;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
