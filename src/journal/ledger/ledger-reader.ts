import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from './ledger.js';

/** Between two reads of the ledger for those who only want to know. */
const READ_MS_MIN = 100;

/** What reading may take. */
const READ_MS_MAX = 2000;

/** Reads on in the ledger for any number of askers at once: a process that settles nothing learns what others settled. */
export class LedgerReader {
  readonly #ledger: Pick<Ledger, 'comeToDate'>;
  #began = Number.NEGATIVE_INFINITY;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(ledger: Pick<Ledger, 'comeToDate'>) {
    this.#ledger = ledger;
  }

  /** Resolves when all is known that stood there a moment ago. @throws Error when NATS does not answer in time */
  readOfLate(): Promise<void> {
    return performance.now() - this.#began < READ_MS_MIN ? this.#current : this.readFromNowOn();
  }

  /** The same with all that stands there now. */
  readFromNowOn(): Promise<void> {
    this.#next ??= this.#read();
    return this.#next;
  }

  async #read(): Promise<void> {
    await sleep(Math.max(0, this.#began + READ_MS_MIN - performance.now()));
    await this.#current.catch(() => {});
    this.#began = performance.now();
    this.#current = this.#next!;
    this.#next = null;
    const late = sleep(READ_MS_MAX, 'late', { ref: false });
    if ((await Promise.race([this.#ledger.comeToDate(), late])) === 'late') {
      throw new Error('the ledger was not read in time');
    }
  }
}
