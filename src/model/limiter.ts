/** Admits at most so many in any window of time, across all threads that share its memory. */
export interface Limiter {
  /** True when admitted now; false when the window is full. Never blocks. */
  tryAdmit(): boolean;
  /** Milliseconds (fractional) until an admission can succeed; 0 when one could now. A hint: another thread may be first. */
  waitMs(): number;
}
