/**
 * The kernel's ids of the pool threads, as their results bring them. Piscina replaces a thread that
 * dies; its place in the list goes to the newcomer, so that the names stay few.
 */
export class PoolThreadIds {
  readonly #threads: number;
  /** Newest first. */
  readonly #recent: number[] = [];
  readonly #names = new Map<number, number>();

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** A batch came back from the thread `tid`; 0 where there are no such ids. */
  seen(tid: number): void {
    if (tid === 0 || this.#recent[0] === tid) return;
    const at = this.#recent.indexOf(tid);
    if (at > 0) this.#recent.splice(at, 1);
    this.#recent.unshift(tid);
    if (at >= 0) return;
    const gone = this.#recent.length > this.#threads ? this.#recent.pop()! : null;
    const name = gone === null ? this.#names.size : this.#names.get(gone)!;
    if (gone !== null) this.#names.delete(gone);
    this.#names.set(tid, name);
  }

  list(): { name: string; tid: number }[] {
    return [...this.#names].map(([tid, index]) => ({ name: `pool-${index}`, tid }));
  }
}
