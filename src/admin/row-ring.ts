/**
 * The latest `rowsMax` rows as JSON text, numbered from 0 on. A row is put into text once, however
 * many read it.
 */
export class RowRing {
  readonly #rows: string[];
  #next = 0;

  constructor(rowsMax: number) {
    this.#rows = new Array<string>(rowsMax).fill('');
  }

  /** The number that the next row gets. */
  get next(): number {
    return this.#next;
  }

  add(row: string): void {
    this.#rows[this.#next % this.#rows.length] = row;
    this.#next++;
  }

  /** The rows that are kept from number `first` on, as a JSON array. */
  since(first: number): string {
    const rows: string[] = [];
    const oldest = Math.max(0, this.#next - this.#rows.length);
    for (let i = Math.max(first, oldest); i < this.#next; i++) {
      rows.push(this.#rows[i % this.#rows.length]);
    }
    return `[${rows.join(',')}]`;
  }
}
