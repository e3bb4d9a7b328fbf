import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../../model/receipt.js';
import type { Ledger } from '../ledger/ledger.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { LocalStore } from '../store/local-store.js';
import { findReceipt, type SettledFrame } from '../store/receipt-rows.js';
import type { FrameLookup } from './frame-lookup.js';

export interface JetStreamReceiptsParts {
  readonly store: LocalStore;
  readonly connection: Pick<JetStreamConnection, 'up' | 'reason'>;
  readonly waiting: FrameLookup;
  readonly reader: LedgerReader;
  /** The end of a frame that is known and not in the store yet; null when there is none such. */
  readonly unsaved: (frameId: string) => SettledFrame | null;
}

/**
 * What became of an order, where frames wait in JetStream. The store knows of those that were settled, that
 * wait in the spool, or went through it; the ledger of what other processes settled; a frame that waits in
 * the stream is looked for there.
 */
export class JetStreamReceipts {
  readonly #parts: JetStreamReceiptsParts;

  constructor(parts: JetStreamReceiptsParts) {
    this.#parts = parts;
  }

  /** @throws Error when NATS does not answer, or it takes too much to find out */
  async find(frameId: string, index: number): Promise<Receipt> {
    const { connection, waiting, reader } = this.#parts;
    const known = this.#known(frameId, index);
    if (known !== 'unknown') return known;
    // Not that nobody accepted it: it may lie in the stream.
    if (!connection.up) throw new Error(connection.reason);
    await reader.readRecent();
    const learned = this.#known(frameId, index);
    if (learned !== 'unknown') return learned;
    if (index < (await waiting.ordersOf(frameId))) return 'accepted';
    // It may have been settled between the two looks.
    await reader.readLatest();
    return this.#known(frameId, index);
  }

  #known(frameId: string, index: number): Receipt {
    const { store, unsaved } = this.#parts;
    const settled = unsaved(frameId);
    if (settled !== null && index < settled.count) return receiptOf(settled, `${frameId}-${index}`);
    store.refresh();
    return findReceipt(store, frameId, index);
  }
}

function receiptOf({ again, dead }: SettledFrame, orderId: string): Receipt {
  if (dead.includes(orderId)) return 'dead';
  return again.includes(orderId) ? 'accepted' : 'done';
}

/** Between two reads of the ledger for those who only want to know. */
const READ_MS_MIN = 100;

/** What reading may take. */
const READ_MS_MAX = 2000;

/** Reads on in the ledger for any number of askers at once: a process that settles nothing learns what others settled. */
export class LedgerReader {
  readonly #ledger: Pick<Ledger, 'catchUp'>;
  #began = Number.NEGATIVE_INFINITY;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(ledger: Pick<Ledger, 'catchUp'>) {
    this.#ledger = ledger;
  }

  /** Resolves when all is known that stood there a moment ago. @throws Error when NATS does not answer in time */
  readRecent(): Promise<void> {
    return performance.now() - this.#began < READ_MS_MIN ? this.#current : this.readLatest();
  }

  /** The same with all that stands there now. */
  readLatest(): Promise<void> {
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
    if ((await Promise.race([this.#ledger.catchUp(), late])) === 'late') {
      throw new Error('the ledger was not read in time');
    }
  }
}
