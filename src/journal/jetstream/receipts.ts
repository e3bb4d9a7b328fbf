import type { Receipt } from '../../model/receipt.js';
import type { LedgerReader } from '../ledger/ledger-reader.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { LocalStore } from '../store/local-store.js';
import { findReceipt, type SettledFrame } from '../store/receipts-table.js';
import type { WaitingFrames } from './waiting-frames.js';

export interface JetStreamReceiptsParts {
  readonly store: LocalStore;
  readonly connection: Pick<JetStreamConnection, 'up' | 'reason'>;
  readonly waiting: WaitingFrames;
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
    await reader.readOfLate();
    const learned = this.#known(frameId, index);
    if (learned !== 'unknown') return learned;
    if (index < (await waiting.ordersOf(frameId))) return 'accepted';
    // It may have been settled between the two looks.
    await reader.readFromNowOn();
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
