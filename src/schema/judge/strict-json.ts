import { isUtf8 } from 'node:buffer';
import { brokenAt, shapeOf } from './grammar.js';

/** What is wrong with bytes that are not strict JSON, in order of precedence. */
export type JsonFault = 'utf8' | 'json' | 'depth' | 'duplicate';

/** `ignoreBOM` keeps a byte order mark in the text, so that JSON.parse rejects it. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Strict JSON: well-formed UTF-8 without byte order mark, the grammar of RFC 8259, at most `depthMax` arrays and objects
 * inside each other, and no object with two members of the same name, however it is escaped. Takes linear time, and
 * does not recurse.
 */
export class StrictJson {
  /** After `read` has returned '': the value, as JSON.parse returns it. */
  value: unknown;

  readonly #depthMax: number;

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
  }

  /** '' for strict JSON, else what is wrong. */
  read(bytes: Uint8Array): JsonFault | '' {
    this.value = undefined;
    if (!isUtf8(bytes)) return 'utf8';
    const text = decoder.decode(bytes);
    const { depth, members } = shapeOf(bytes);
    // JSON.parse takes memory for each level, so it gets no text that is deeper.
    if (depth > this.#depthMax) return brokenAt(text) === -1 ? 'depth' : 'json';
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return 'json';
    }
    // JSON.parse keeps the last of several members with the same name, and keeps `__proto__` as an own member.
    if (memberCount(value) !== members) return 'duplicate';
    this.value = value;
    return '';
  }
}

/** The members of all objects in a value. */
function memberCount(value: unknown): number {
  let count = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    const inner = Object.values(next);
    if (!Array.isArray(next)) count += inner.length;
    for (const one of inner) if (typeof one === 'object' && one !== null) open.push(one);
  }
  return count;
}
