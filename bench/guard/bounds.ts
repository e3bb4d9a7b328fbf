import type { Guarded } from './loops.js';

/** What a micro-benchmark must hold to; see docs/guides/performance.md for what is meant on a quiet machine. */
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
    // Measured 7.6 to 8.1. At 5 somebody has lost the flat scan or its being compiled in one piece: then it is 3.
    guarded: 'validate',
    measure: 'ratio',
    what: 'plain body, times as fast as JSON.parse and ajv',
    min: 5,
    max: NO_MAX,
  },
  {
    // Measured 1.9 to 2.1. A BigInt made of a number, or one more pair of atomic operations, comes to 3 and more.
    guarded: 'limiter',
    measure: 'ratio',
    what: 'decision, in readings of the clock',
    min: NO_MIN,
    max: 3.2,
  },
  {
    // Measured 1,931 to 1,955 with Node 20. Other versions of V8 compile otherwise, but not into half as much again.
    guarded: 'validate',
    measure: 'instructions',
    what: 'plain body, instructions as valgrind counts them',
    min: NO_MIN,
    max: 2900,
  },
  {
    // Measured 722 with Node 20, the clock included, which under valgrind is a system call.
    guarded: 'limiter',
    measure: 'instructions',
    what: 'decision, instructions as valgrind counts them',
    min: NO_MIN,
    max: 1100,
  },
];
