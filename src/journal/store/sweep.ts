import type { Table } from './local-store.js';

/** A table of which rows are to be forgotten, and which. */
export interface Sweepable {
  readonly table: Table;
  /** Sorts behind all keys of rows that may be forgotten. */
  readonly end: () => Buffer;
  readonly mayForget: (row: Buffer) => boolean;
}

/**
 * Goes through a table from its front to where nothing may be forgotten, some rows at a time, again and again: rows
 * that must stay for now, though their keys are old, hold up no others.
 */
export class Sweep {
  readonly #of: Sweepable;
  /** The last key that was looked at; null at the front. */
  #at: Buffer | null = null;

  constructor(of: Sweepable) {
    this.#of = of;
  }

  /** The keys of rows to be removed, of the next `rowsMax` that are looked at. */
  next(rowsMax: number): Buffer[] {
    const { table, end, mayForget } = this.#of;
    const start = this.#at === null ? {} : { start: this.#at, exclusiveStart: true };
    const found: Buffer[] = [];
    let looked = 0;
    for (const { key, value } of table.getRange({ ...start, end: end(), limit: rowsMax })) {
      looked++;
      this.#at = Buffer.from(key);
      if (mayForget(value)) found.push(this.#at);
    }
    if (looked < rowsMax) this.#at = null;
    return found;
  }
}
