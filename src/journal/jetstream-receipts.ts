import { frameTimeMs } from '../contract/frame-time.js';
import type { Receipt } from '../contract/receipt.js';
import type { JetStreamConnection } from './jetstream-connection.js';
import type { LocalStore } from './local-store.js';
import { findReceipt } from './receipts-table.js';
import type { StreamSearch } from './stream-search.js';

/** Frames looked at one by one where their times do not tell them apart. */
const SCAN_MAX = 5000;

/**
 * What became of an order, where frames wait in JetStream. The store knows of those that were settled, that
 * wait in the spool, or went through it; a frame that waits in the stream is looked for there by the time in its id.
 */
export class JetStreamReceipts {
  readonly #store: LocalStore;
  readonly #connection: JetStreamConnection;
  readonly #search: StreamSearch;

  constructor(store: LocalStore, connection: JetStreamConnection, search: StreamSearch) {
    this.#store = store;
    this.#connection = connection;
    this.#search = search;
  }

  /** @throws Error when NATS does not answer */
  async find(frameId: string, index: number): Promise<Receipt> {
    this.#store.refresh();
    const known = findReceipt(this.#store, frameId, index);
    if (known !== 'unknown' || !this.#connection.up) return known;
    return index < (await this.#countInStream(frameId)) ? 'accepted' : 'unknown';
  }

  /** Orders of the frame if it is in the stream, else 0. */
  async #countInStream(frameId: string): Promise<number> {
    const timeMs = frameTimeMs(frameId);
    if (Number.isNaN(timeMs)) return 0;
    let scanned = 0;
    for await (const found of this.#search.between(timeMs, timeMs)) {
      if (found.frameId === frameId) return found.count;
      if (++scanned === SCAN_MAX) break;
    }
    return 0;
  }
}
