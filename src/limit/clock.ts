/** A monotonic clock in nanoseconds, above zero, and the same for all threads that share memory. */
export type Clock = () => number;

const NS_PER_S = 1e9;
// Read from `process` once, so that the optimizer inlines it and does not allocate the pair it returns. A call takes
// 44 ns, of which the operating system takes 30. Other ways: `process.hrtime` 55 ns, `performance.now` 53 ns,
// `process.hrtime.bigint` 84 ns.
const { hrtime } = process;

/**
 * The operating system's monotonic clock. All threads share it, so their readings can be compared. `performance.now()`
 * cannot be used: each thread has its own origin, and the origin is not known exactly.
 *
 * A float64 holds whole nanoseconds up to 2^53, which is 104 days after the start of the machine. The value does not wrap
 * then: its resolution becomes 2 ns, and after another 104 days 4 ns, still far finer than the clock.
 */
export function monotonicNs(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * NS_PER_S + nanoseconds;
}
