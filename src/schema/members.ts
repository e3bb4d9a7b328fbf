import { USERNAME_CODE_POINTS_MAX } from '../model/order.js';
import { FAULT } from './faults.js';
import { isDigit } from './tokens.js';

/** The members of an order as bits, so that a set of them is a number. */
export const PRODUCT_ID = 1;
export const COUNT = 2;
export const USERNAME = 4;
export const UNKNOWN = 8;

const PRODUCT_ID_NAME = new TextEncoder().encode('product_id');
const COUNT_NAME = new TextEncoder().encode('count');
const USERNAME_NAME = new TextEncoder().encode('username');

const ALL_REQUIRED = PRODUCT_ID | COUNT | USERNAME;

/** Greater than every fault code, for the minimum of several is the one that is named. */
export const NO_FAULT = 0xff;

/** The member whose name is `bytes[start, end)`. */
export function memberNamed(bytes: Uint8Array, start: number, end: number): number {
  const size = end - start;
  if (size === PRODUCT_ID_NAME.length && stands(PRODUCT_ID_NAME, bytes, start)) return PRODUCT_ID;
  if (size === COUNT_NAME.length && stands(COUNT_NAME, bytes, start)) return COUNT;
  return size === USERNAME_NAME.length && stands(USERNAME_NAME, bytes, start) ? USERNAME : UNKNOWN;
}

function stands(name: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/** The pattern of `product_id` and `count`: "0" to "100" without sign or leading zeros. */
export function isPercent(bytes: Uint8Array, start: number, end: number): boolean {
  const size = end - start;
  if (size === 0 || size > 3) return false;
  const c = bytes[start];
  if (size === 1) return isDigit(c);
  if (size === 2) return c !== 0x30 && isDigit(c) && isDigit(bytes[start + 1]);
  return c === 0x31 && bytes[start + 1] === 0x30 && bytes[start + 2] === 0x30;
}

/** The fault of a username of so many code points, none of which is a control. */
export function usernameFault(codePoints: number): number {
  if (codePoints > USERNAME_CODE_POINTS_MAX) return FAULT.usernameMaxLength;
  return codePoints === 0 ? FAULT.usernameMinLength : NO_FAULT;
}

/** The fault of a member whose value is no string. An unknown member is one whatever its value. */
export function typeFault(member: number): number {
  if (member === PRODUCT_ID) return FAULT.productIdType;
  if (member === COUNT) return FAULT.countType;
  return member === USERNAME ? FAULT.usernameType : NO_FAULT;
}

/** The fault of a set of names: the first that is missing, else one too many. */
export function namesFault(seen: number): number {
  if (seen === ALL_REQUIRED) return NO_FAULT;
  if ((seen & PRODUCT_ID) === 0) return FAULT.requiredProductId;
  if ((seen & COUNT) === 0) return FAULT.requiredCount;
  if ((seen & USERNAME) === 0) return FAULT.requiredUsername;
  return FAULT.additionalProperties;
}
