import type { Frame } from '../contract/frame.js';
import { type Appender, CommitAmbiguous, CommitRefused } from '../contract/journal.js';
import { COUNTER, type ThreadCounts } from '../metrics/count.js';

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
 * trusted again. So a server that is frozen costs the frames that were under way a wait, and no others.
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
    return this.#isTrusted() || this.#spoolLack() === '';
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
        const verdicts = await this.#parts.primary.commit(owned(frame));
        if (frame.keys.length > 0) this.#parts.rememberKeys(frame);
        return verdicts;
      } catch (error) {
        isAmbiguous = error instanceof CommitAmbiguous;
        this.#lose((error as Error).message);
      }
    }
    try {
      return await this.#spool(frame);
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
    const lack = this.#spoolLack();
    if (lack !== '') throw new CommitRefused(lack);
    const kept = owned(frame);
    const verdicts = await this.#parts.spool.commit(kept);
    this.#parts.counts.add(COUNTER.ordersSpooled, frame.count);
    this.#probeWith(kept);
    return verdicts;
  }

  #probeWith(kept: Frame): void {
    const { primary } = this.#parts;
    if (this.#isProbing || !primary.writable || performance.now() < this.#probeAtMs) return;
    this.#isProbing = true;
    primary
      .commit(kept)
      .then(
        () => {
          this.#distrust = '';
        },
        (error: Error) => this.#lose(error.message),
      )
      .finally(() => {
        this.#isProbing = false;
        this.#probeAtMs = performance.now() + PROBE_MS;
      });
  }
}

/**
 * The frame with bytes of its own: its buffer is used again as soon as the commit succeeds, but a client that was
 * given up on may still have to send them.
 */
function owned(frame: Frame): Frame {
  return { ...frame, payload: Buffer.from(frame.payload) };
}
