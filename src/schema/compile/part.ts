import { skip } from './skip.js';
import type { ScanState } from './state.js';
import type { ValueCheck } from './writer.js';

/** Reads any value, and asks ajv about it. The offset after the value, or -1. */
export function part(
  s: ScanState,
  b: Uint8Array,
  at: number,
  end: number,
  depth: number,
  check: ValueCheck,
): number {
  const after = skip(s, b, at, end, depth);
  if (after < 0) return -1;
  const text = Buffer.from(b.buffer, b.byteOffset + at, after - at).toString();
  return check(JSON.parse(text), after - at) ? after : -1;
}
