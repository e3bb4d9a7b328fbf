import { COUNTER, type ThreadCounts } from '../../metrics/count.js';
import type { Frame } from '../../model/frame.js';
import { type Appender, CommitAmbiguous, CommitRefused } from '../../model/journal.js';

export interface FailoverParts {
  /** Where frames go while all is well. */
  readonly primary: Appender;
  /** Where they go while the primary does not take them. */
  readonly spool: Appender;
  /** Stores the idempotency keys of a frame that the primary took. The commit does not wait for it. */
  readonly storeKeys: (frame: Frame) => void;
  readonly counts: ThreadCounts;
  /** Orders in the spool, of all threads; may lag behind by a fraction of a second. */
  readonly spooledOrders: () => number;
  readonly spooledOrdersMax: number;
}

/** Between two probes of a primary that has failed a frame. */
const PROBE_MS = 500;

/**
 * Commits to the primary journal. When that fails, or its result is unknown, commits to the spool under the same id;
 * the consumer of the journal drops the duplicate.
 *
 * Once the primary has failed a frame, it gets no client's order until it has acknowledged another frame: from time
 * to time, a frame that is already safe in the spool is sent to it as a probe. A frozen server therefore delays only
 * the frames that were under way. When the spool has no space for a frame, a probe goes to the primary alone;
 * otherwise, with a spool that stays full, the return of the primary would never be noticed.
 */
export class FailoverAppender implements Appender {
  readonly #parts: FailoverParts;
  /** Why the primary is not trusted; empty while it is. */
  #distrustReason = '';
  #probeAtMs = 0;
  #isProbing = false;

  constructor(parts: FailoverParts) {
    this.#parts = parts;
  }

  get name() {
    return this.#parts.primary.name;
  }

  get writable(): boolean {
    return this.#isTrusted() || this.#spoolRefusal() === '' || this.#isProbeDue();
  }

  get reason(): string {
    if (this.writable) return '';
    const { primary } = this.#parts;
    return `${primary.reason || this.#distrustReason}; spool: ${this.#spoolRefusal()}`;
  }

  /** Only while the connection of this thread is down: without orders, a failed frame would be told of for ever. */
  get spoolReason(): string {
    const { primary } = this.#parts;
    return primary.writable ? '' : primary.reason;
  }

  async commit(frame: Frame): Promise<Uint8Array | null> {
    let isAmbiguous = false;
    if (this.#isTrusted()) {
      try {
        return await this.#commitToPrimary(withOwnBytes(frame));
      } catch (error) {
        isAmbiguous = error instanceof CommitAmbiguous;
        this.#distrust((error as Error).message);
      }
    }
    try {
      const refusal = this.#spoolRefusal();
      if (refusal === '') return await this.#spool(frame);
      if (this.#isProbeDue()) return await this.#probe(withOwnBytes(frame));
      throw new CommitRefused(refusal);
    } catch (error) {
      throw isAmbiguous ? new CommitAmbiguous((error as Error).message) : error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.primary.close(), this.#parts.spool.close()]);
  }

  #isTrusted(): boolean {
    return this.#distrustReason === '' && this.#parts.primary.writable;
  }

  #spoolRefusal(): string {
    const { spool, spooledOrders, spooledOrdersMax } = this.#parts;
    if (spooledOrders() < spooledOrdersMax) return spool.reason;
    return `it holds ${spooledOrdersMax} orders, the most that --spool-orders-max allows`;
  }

  #distrust(reason: string): void {
    if (this.#distrustReason === '') this.#probeAtMs = performance.now() + PROBE_MS;
    this.#distrustReason = reason;
  }

  async #spool(frame: Frame): Promise<Uint8Array | null> {
    const kept = withOwnBytes(frame);
    const verdicts = await this.#parts.spool.commit(kept);
    this.#parts.counts.add(COUNTER.ordersSpooled, frame.count);
    if (this.#isProbeDue()) this.#probe(kept).catch(() => {});
    return verdicts;
  }

  #isProbeDue(): boolean {
    const isTime = performance.now() >= this.#probeAtMs;
    return isTime && !this.#isProbing && this.#parts.primary.writable;
  }

  async #probe(kept: Frame): Promise<Uint8Array | null> {
    this.#isProbing = true;
    try {
      const verdicts = await this.#commitToPrimary(kept);
      this.#distrustReason = '';
      return verdicts;
    } catch (error) {
      this.#distrust((error as Error).message);
      throw error;
    } finally {
      this.#isProbing = false;
      this.#probeAtMs = performance.now() + PROBE_MS;
    }
  }

  async #commitToPrimary(frame: Frame): Promise<Uint8Array | null> {
    const verdicts = await this.#parts.primary.commit(frame);
    if (frame.keys.length > 0) this.#parts.storeKeys(frame);
    return verdicts;
  }
}

/**
 * A copy of the frame with its own bytes: the original buffer is reused as soon as the commit succeeds, but a NATS
 * client that was given up on may still have to send them.
 */
function withOwnBytes(frame: Frame): Frame {
  return { ...frame, payload: Buffer.from(frame.payload) };
}
