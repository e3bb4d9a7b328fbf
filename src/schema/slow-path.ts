import { isUtf8 } from 'node:buffer';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Contract } from './contract.js';

/**
 * Checks any body: UTF-8, JSON.parse, no duplicate names, ajv with the schema. It allocates, and a body that is not JSON
 * costs an exception.
 */
export class SlowPath {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #isValid: ValidateFunction;

  /** Compiles the schema, which takes some ten milliseconds. */
  constructor(contract: Contract) {
    this.#isValid = new Ajv({ unicodeRegExp: true, ownProperties: true }).compile(contract.schema);
  }

  /** The fault of the body `bytes[start, end)` as `x-invalid` names it; empty if it is valid. */
  judge(bytes: Uint8Array, start: number, end: number): string {
    const body = bytes.subarray(start, end);
    // First, because isUtf8 does not throw; the decoder would cost an exception.
    if (!isUtf8(body)) return '/ utf8';
    let value: unknown;
    try {
      // `ignoreBOM` keeps a byte order mark in the text, so that JSON.parse rejects it.
      value = JSON.parse(this.#decoder.decode(body));
    } catch {
      return '/ json';
    }
    if (hasRepeatedName(value, body)) return '/ duplicate';
    return this.#isValid(value) ? '' : this.#schemaFault();
  }

  /** ajv stops at the first fault. */
  #schemaFault(): string {
    const error = this.#isValid.errors![0];
    const detail = error.keyword === 'required' ? ` ${error.params.missingProperty}` : '';
    return `${error.instancePath || '/'} ${error.keyword}${detail}`;
  }
}

/**
 * JSON.parse keeps the last of several members with the same name, however the name is escaped, and keeps `__proto__`
 * as an own member. So a name is repeated if the object has fewer members than were written.
 */
function hasRepeatedName(value: unknown, body: Uint8Array): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).length !== memberCount(body, 0, body.length);
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * The number of members of an object as written, with repeated names counted each time: the colons outside strings at
 * depth one. `bytes[start, end)` must be a JSON object in UTF-8. There is no recursion, so any depth is safe.
 */
function memberCount(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0;
  let members = 0;
  for (let at = start; at < end; at++) {
    const c = bytes[at];
    if (c === QUOTE) at = closingQuote(bytes, at + 1);
    else if (c === COLON && depth === 1) members++;
    // `{` and `[` differ in bit 5 only, and so do `}` and `]`.
    else if ((c | 0x20) === 0x7b) depth++;
    else if ((c | 0x20) === 0x7d) depth--;
  }
  return members;
}

function closingQuote(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
