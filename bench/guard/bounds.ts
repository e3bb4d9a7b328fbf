import type { Guarded } from './loops.js';

/** The allowed range of a micro-benchmark. Figures of a quiet machine are in docs/guides/performance.md. */
export interface Bound {
  readonly guarded: Guarded;
  readonly measure: 'ratio' | 'instructions';
  readonly what: string;
  readonly min: number;
  readonly max: number;
}

const NO_MIN = 0;
const NO_MAX = Number.POSITIVE_INFINITY;

export const bounds: readonly Bound[] = [
  {
    // Measured 7.6 to 8.1. Without the flat scan, or if V8 no longer compiles it as one function, it is 3.
    guarded: 'validate',
    measure: 'ratio',
    what: 'plain body, speed relative to JSON.parse and ajv',
    min: 5,
    max: NO_MAX,
  },
  {
    // Measured 1.9 to 2.1. With a BigInt made from a number, or another pair of atomic operations, it is 3 or more.
    guarded: 'limiter',
    measure: 'ratio',
    what: 'decision, in multiples of a clock reading',
    min: NO_MIN,
    max: 3.2,
  },
  {
    // Measured 1,931 to 1,955 with Node 20. Other versions of V8 differ by less than half.
    guarded: 'validate',
    measure: 'instructions',
    what: 'plain body, instructions (valgrind)',
    min: NO_MIN,
    max: 2900,
  },
  {
    // Measured 722 with Node 20. That includes the clock, which is a system call under valgrind.
    guarded: 'limiter',
    measure: 'instructions',
    what: 'decision, instructions (valgrind)',
    min: NO_MIN,
    max: 1100,
  },
];
