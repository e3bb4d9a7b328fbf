import type { LiveRow } from '../../model/live.js';

/** The server's clock may be set back by so much before the rows from before are forgotten. */
const SET_BACK_MS_MAX = 5000;

/** The rows that the page has, oldest first. They outlast a restart of the server. */
export class Rows {
  #rows: LiveRow[] = [];

  get all(): readonly LiveRow[] {
    return this.#rows;
  }

  /** Adds what is newer than what is there, and forgets what is older than `historyS`. */
  append(rows: readonly LiveRow[], historyS: number): void {
    const newest = rows.at(-1);
    if (newest === undefined) return;
    const lastMs = this.#rows.at(-1)?.atMs ?? 0;
    if (newest.atMs < lastMs - SET_BACK_MS_MAX) this.#rows = [...rows];
    else this.#rows.push(...rows.filter((row) => row.atMs > lastMs));
    const oldestMs = newest.atMs - historyS * 1000;
    const kept = this.#rows.findIndex((row) => row.atMs > oldestMs);
    if (kept > 0) this.#rows.splice(0, kept);
  }

  /** The rows of the last `seconds`. */
  latest(seconds: number): readonly LiveRow[] {
    const newest = this.#rows.at(-1);
    if (newest === undefined) return [];
    const oldestMs = newest.atMs - seconds * 1000;
    return this.#rows.filter((row) => row.atMs > oldestMs);
  }
}
