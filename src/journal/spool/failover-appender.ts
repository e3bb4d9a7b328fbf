import { COUNTER, type ThreadCounts } from '../../metrics/count.js';
import type { Frame } from '../../model/frame.js';
import { type Appender, CommitAmbiguous, CommitRefused } from '../../model/journal.js';

export interface FailoverParts {
  /** Where frames belong. */
  readonly primary: Appender;
  /** Where they go while the primary does not take them. */
  readonly spool: Appender;
  /** Remembers the idempotency keys of a frame that the primary took. Nobody waits for it. */
  readonly rememberKeys: (frame: Frame) => void;
  readonly counts: ThreadCounts;
  /** Orders in the spool, of all threads; may lag behind by a fraction of a second. */
  readonly spooledOrders: () => number;
  readonly spooledOrdersMax: number;
}

/** Between two probes of a primary that has failed a frame. */
const PROBE_MS = 500;

/**
 * Commits to the primary journal, and when that does not take a frame, or nobody knows whether it did, to the
 * spool under the same id: who consumes the journal drops the double.
 *
 * Once the primary has failed a frame it is not trusted with a client's order until it has taken another: now and
 * then a frame that is safe in the spool already is sent to it as well, and when it acknowledges that one, it is
 * trusted again. So a server that is frozen costs the frames that were under way a wait, and no others. Where the
 * spool has no room for a frame, now and then one goes to the primary alone: otherwise, with a spool that stays full,
 * nobody would ever learn that the primary is back.
 */
export class FailoverAppender implements Appender {
  readonly #parts: FailoverParts;
  /** Why the primary is not trusted; empty while it is. */
  #distrust = '';
  #probeAtMs = 0;
  #isProbing = false;

  constructor(parts: FailoverParts) {
    this.#parts = parts;
  }

  get name() {
    return this.#parts.primary.name;
  }

  get writable(): boolean {
    return this.#isTrusted() || this.#spoolLack() === '' || this.#isProbeDue();
  }

  get reason(): string {
    if (this.writable) return '';
    const { primary } = this.#parts;
    return `${primary.reason || this.#distrust}; spool: ${this.#spoolLack()}`;
  }

  async commit(frame: Frame): Promise<Uint8Array | null> {
    let isAmbiguous = false;
    if (this.#isTrusted()) {
      try {
        return await this.#commitToPrimary(owned(frame));
      } catch (error) {
        isAmbiguous = error instanceof CommitAmbiguous;
        this.#lose((error as Error).message);
      }
    }
    try {
      const lack = this.#spoolLack();
      if (lack === '') return await this.#spool(frame);
      if (this.#isProbeDue()) return await this.#probe(owned(frame));
      throw new CommitRefused(lack);
    } catch (error) {
      throw isAmbiguous ? new CommitAmbiguous((error as Error).message) : error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.primary.close(), this.#parts.spool.close()]);
  }

  #isTrusted(): boolean {
    return this.#distrust === '' && this.#parts.primary.writable;
  }

  #spoolLack(): string {
    const { spool, spooledOrders, spooledOrdersMax } = this.#parts;
    if (spooledOrders() < spooledOrdersMax) return spool.reason;
    return `it holds ${spooledOrdersMax} orders, the most that --spool-orders-max allows`;
  }

  #lose(reason: string): void {
    if (this.#distrust === '') this.#probeAtMs = performance.now() + PROBE_MS;
    this.#distrust = reason;
  }

  async #spool(frame: Frame): Promise<Uint8Array | null> {
    const kept = owned(frame);
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
      this.#distrust = '';
      return verdicts;
    } catch (error) {
      this.#lose((error as Error).message);
      throw error;
    } finally {
      this.#isProbing = false;
      this.#probeAtMs = performance.now() + PROBE_MS;
    }
  }

  async #commitToPrimary(frame: Frame): Promise<Uint8Array | null> {
    const verdicts = await this.#parts.primary.commit(frame);
    if (frame.keys.length > 0) this.#parts.rememberKeys(frame);
    return verdicts;
  }
}

/**
 * The frame with bytes of its own: its buffer is used again as soon as the commit succeeds, but a client that was
 * given up on may still have to send them.
 */
function owned(frame: Frame): Frame {
  return { ...frame, payload: Buffer.from(frame.payload) };
}
