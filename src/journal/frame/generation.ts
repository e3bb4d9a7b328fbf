import { randomBytes } from 'node:crypto';

export const GENERATION_BYTES = 8;

/**
 * Identifies one use of a segment. Later uses of a segment have a later time, see `isLater`; all 8 bytes look random, so
 * that those of two uses have few in common. Older versions wrote random bytes.
 */
export type Generation = Buffer;

/** Of 64 bits: time (48, epoch milliseconds), random (8), and the sum of the other bytes (8). */
const TIME_SHIFT = 16n;
const RANDOM_SHIFT = 8n;
const BYTE = 0xffn;
const BITS = 64;

/**
 * Multiplication by an odd number and the exclusive or with the upper half are one to one. The factors are those of
 * SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
 */
const FACTORS = [0xbf58476d1ce4e5b9n, 0x94d049bb133111ebn] as const;
const INVERSES = FACTORS.map(inverse);
const HALF = 32n;

/** @param previous of the segment; null when it was not used before */
export function nextGeneration(previous: Generation | null): Generation {
  const earlierMs = (previous === null ? null : timeMs(previous)) ?? 0;
  // The clock may have been set back.
  const nowMs = BigInt(Math.max(Date.now(), earlierMs + 1));
  const random = BigInt(randomBytes(1)[0]!);
  const checked = (nowMs << TIME_SHIFT) | (random << RANDOM_SHIFT);
  const generation = Buffer.alloc(GENERATION_BYTES);
  generation.writeBigUInt64BE(mixed(checked | sum(checked)));
  return generation;
}

/** Whether the use `a` began after `b`; null when an older version wrote one of them. */
export function isLater(a: Generation, b: Generation): boolean | null {
  const [aMs, bMs] = [timeMs(a), timeMs(b)];
  return aMs === null || bMs === null ? null : aMs > bMs;
}

/** 2024 to 2100. */
const TIME_MS_MIN = 1_704_067_200_000;
const TIME_MS_MAX = 4_102_444_800_000;

/** When the use began, epoch milliseconds; null when an older version wrote it: one in 30,000 of those is mistaken. */
function timeMs(generation: Generation): number | null {
  const value = unmixed(generation.readBigUInt64BE());
  if ((value & BYTE) !== sum(value & ~BYTE)) return null;
  const ms = Number(value >> TIME_SHIFT);
  return ms >= TIME_MS_MIN && ms < TIME_MS_MAX ? ms : null;
}

function sum(value: bigint): bigint {
  let total = 0n;
  for (let rest = value; rest > 0n; rest >>= RANDOM_SHIFT) total += rest & BYTE;
  return total & BYTE;
}

function mixed(value: bigint): bigint {
  const first = BigInt.asUintN(BITS, value * FACTORS[0]);
  return BigInt.asUintN(BITS, (first ^ (first >> HALF)) * FACTORS[1]);
}

function unmixed(value: bigint): bigint {
  const second = BigInt.asUintN(BITS, value * INVERSES[1]!);
  return BigInt.asUintN(BITS, (second ^ (second >> HALF)) * INVERSES[0]!);
}

/** Modulo 2^64, by Newton's iteration, which doubles the number of right bits: 3 at first. */
function inverse(odd: bigint): bigint {
  let found = odd;
  for (let bits = 3; bits < BITS; bits *= 2) {
    found = BigInt.asUintN(BITS, found * (2n - odd * found));
  }
  return found;
}
