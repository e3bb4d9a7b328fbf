import type { Ledger } from './ledger.js';
import type { LedgerPeers } from './peers.js';

/** Longer than starting a term takes. */
const EXPIRED_MS_REPORTED = 5000;

/**
 * The lease on all claims of this process. Other processes take over its claims when they have not heard from it for
 * the lease time, for example because it was paused or disconnected. So as soon as this process may not have been
 * heard, its lease counts as expired; a new term begins when it is heard again and has read the ledger since.
 *
 * Source: Gray and Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency"
 * (SOSP 1989).
 */
export class LedgerLease {
  readonly #ledger: Pick<Ledger, 'catchUp'>;
  readonly #peers: Pick<LedgerPeers, 'isHeard' | 'lapses' | 'onHeard'>;
  readonly #onTerm = new Set<() => void>();
  #terms = 0;
  /** Of the peers when the term began: a lapse that nobody saw has ended it too. */
  #lapses = 0;
  #isValid = false;
  #isStarting = false;
  #expiredSinceMs = performance.now();

  constructor(
    ledger: Pick<Ledger, 'catchUp'>,
    peers: Pick<LedgerPeers, 'isHeard' | 'lapses' | 'onHeard'>,
  ) {
    this.#ledger = ledger;
    this.#peers = peers;
    peers.onHeard(() => void this.#startTerm());
  }

  /** 0 without a lease; otherwise the number of the term, which changes after each expiry. */
  get term(): number {
    if (this.#isValid && !this.#isHeardSince(this.#lapses)) {
      this.#isValid = false;
      this.#expiredSinceMs = performance.now();
    }
    return this.#isValid ? this.#terms : 0;
  }

  /** Why nothing is processed, in one line, once that lasts longer than starting a term takes; otherwise empty. */
  get reason(): string {
    if (this.term > 0 || performance.now() - this.#expiredSinceMs < EXPIRED_MS_REPORTED) return '';
    return 'this process does not receive its own heartbeats from NATS, so nothing is processed: allow it to publish and subscribe to the subject that ends in .alive';
  }

  /** `listener` is called when a term begins, before `term` shows it. */
  onTerm(listener: () => void): void {
    this.#onTerm.add(listener);
  }

  async #startTerm(): Promise<void> {
    if (this.term > 0 || this.#isStarting) return;
    this.#isStarting = true;
    try {
      const { lapses } = this.#peers;
      await this.#ledger.catchUp();
      if (!this.#isHeardSince(lapses)) return;
      this.#lapses = lapses;
      this.#terms++;
      for (const listener of this.#onTerm) listener();
      this.#isValid = true;
    } catch {
      // Closed.
    } finally {
      this.#isStarting = false;
    }
  }

  #isHeardSince(lapses: number): boolean {
    return this.#peers.isHeard && this.#peers.lapses === lapses;
  }
}
