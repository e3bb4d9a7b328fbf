import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../../model/receipt.js';
import type { Ledger } from '../ledger/ledger.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { LocalStore } from '../store/local-store.js';
import { findReceipt, type SettledFrame } from '../store/receipt-rows.js';
import type { FrameLookup } from './frame-lookup.js';
import type { PlaceInLine } from './place-in-line.js';

export interface JetStreamReceiptsParts {
  readonly store: LocalStore;
  readonly connection: Pick<JetStreamConnection, 'up' | 'reason'>;
  readonly waiting: FrameLookup;
  readonly place: PlaceInLine;
  readonly ledger: Pick<Ledger, 'catchUp'>;
  /** A settled frame that is not in the store yet; null when there is none. */
  readonly unsaved: (frameId: string) => SettledFrame | null;
}

/**
 * What became of an order, where frames wait in JetStream. The store knows the frames that were settled, that wait in
 * the spool, or were forwarded from it; the ledger knows what other processes settled; a waiting frame is searched
 * for in the stream.
 */
export class JetStreamReceipts {
  readonly #parts: JetStreamReceiptsParts;
  readonly #reader: LedgerReader;

  constructor(parts: JetStreamReceiptsParts) {
    this.#parts = parts;
    this.#reader = new LedgerReader(parts.ledger);
  }

  /** @throws Error NATS does not answer, or the search would cost too much */
  async find(frameId: string, index: number): Promise<Receipt> {
    const { connection, waiting } = this.#parts;
    const known = this.#localReceipt(frameId, index);
    if (known !== 'unknown') return known;
    // Not `unknown`: the frame may be in the stream.
    if (!connection.up) throw new Error(connection.reason);
    await this.#reader.readRecent();
    const learned = this.#localReceipt(frameId, index);
    if (learned !== 'unknown') return learned;
    if (index < (await waiting.ordersOf(frameId))) return 'accepted';
    // It may have been settled between the two checks.
    await this.#reader.readLatest();
    return this.#localReceipt(frameId, index);
  }

  /**
   * Orders before one whose receipt was asked for; null unless it waits in the stream in a fresh frame.
   * @throws Error NATS does not answer
   */
  async ordersAhead(frameId: string, index: number): Promise<number | null> {
    const { waiting, place } = this.#parts;
    const seq = this.#localReceipt(frameId, index) === 'unknown' ? waiting.seqOf(frameId) : null;
    const before = seq === null ? null : await place.ordersBefore(seq);
    return before === null ? null : before + index;
  }

  #localReceipt(frameId: string, index: number): Receipt {
    const { store, unsaved } = this.#parts;
    const settled = unsaved(frameId);
    if (settled !== null && index < settled.count) return receiptOf(settled, `${frameId}-${index}`);
    store.refresh();
    return findReceipt(store, frameId, index);
  }
}

function receiptOf({ refiled, dead }: SettledFrame, orderId: string): Receipt {
  if (dead.includes(orderId)) return 'dead';
  return refiled.includes(orderId) ? 'accepted' : 'done';
}

/** The shortest time between two reads of the ledger. */
const READ_MS_MIN = 100;

/** The longest that a read may take. */
const READ_MS_MAX = 2000;

/**
 * Reads the ledger on behalf of any number of callers at once: a process that settles nothing learns what others have
 * settled.
 */
class LedgerReader {
  readonly #ledger: Pick<Ledger, 'catchUp'>;
  #began = Number.NEGATIVE_INFINITY;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(ledger: Pick<Ledger, 'catchUp'>) {
    this.#ledger = ledger;
  }

  /**
   * Resolves when everything is known that was in the ledger a moment ago.
   * @throws Error NATS does not answer in time
   */
  readRecent(): Promise<void> {
    return performance.now() - this.#began < READ_MS_MIN ? this.#current : this.readLatest();
  }

  /** The same for everything that is in the ledger now. */
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
