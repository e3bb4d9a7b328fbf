/**
 * HalfSipHash-2-4 with 64 bits of output, of the bytes `[0, length)`. Source: Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF" (2012), in the 32-bit variant of their reference implementation (github.com/veorq/SipHash). It uses
 * only 32-bit operations, because a JavaScript number cannot hold every 64-bit integer.
 *
 * Collisions cannot be constructed without knowing the key (`key0`, `key1`).
 *
 * @param out receives the two words of the hash at `at` and `at + 1`, little-endian
 */
export function halfSipHash(
  key0: number,
  key1: number,
  bytes: Uint8Array,
  length: number,
  out: Int32Array,
  at: number,
): void {
  let v0 = key0;
  let v1 = key1 ^ 0xee;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  const wholeEnd = length & ~3;
  // Two rounds for each word of the input. The last word contains the length.
  for (let i = 0; i <= wholeEnd; i += 4) {
    const word = i < wholeEnd ? wordAt(bytes, i) : lastWord(bytes, i, length);
    v3 ^= word;
    for (let round = 0; round < 2; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  v2 ^= 0xee;
  // Four rounds yield the first word, four more the second.
  for (let round = 0; round < 8; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round !== 3) continue;
    out[at] = v1 ^ v3;
    v1 ^= 0xdd;
  }
  out[at + 1] = v1 ^ v3;
}

function wordAt(bytes: Uint8Array, i: number): number {
  return bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
}

/** The remaining zero to three bytes, and above them the lowest byte of the length. */
function lastWord(bytes: Uint8Array, i: number, length: number): number {
  let word = length << 24;
  if (i < length) word |= bytes[i];
  if (i + 1 < length) word |= bytes[i + 1] << 8;
  if (i + 2 < length) word |= bytes[i + 2] << 16;
  return word;
}
