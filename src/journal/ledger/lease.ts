import type { Ledger } from './ledger.js';
import type { LedgerPeers } from './peers.js';

/** Signs of life come every two seconds. */
const UNSURE_MS_REPORTED = 5000;

/**
 * Whether what this process has in hand is still its own. Others take it over when they have not heard of
 * this process for a lease's time, because it was stopped, say, or cut off. So once it may not have been heard it is
 * not sure of anything, until it is heard again and has read what stands in the ledger by then.
 *
 * The classic source is Gray and Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache
 * consistency" (SOSP 1989).
 */
export class LedgerLease {
  readonly #ledger: Pick<Ledger, 'catchUp'>;
  readonly #peers: Pick<LedgerPeers, 'isHeard' | 'onHeard'>;
  readonly #onTerm = new Set<() => void>();
  #terms = 0;
  #isVerified = false;
  #isVerifying = false;
  #unsureSinceMs = performance.now();

  constructor(ledger: Pick<Ledger, 'catchUp'>, peers: Pick<LedgerPeers, 'isHeard' | 'onHeard'>) {
    this.#ledger = ledger;
    this.#peers = peers;
    peers.onHeard(() => void this.#verify());
  }

  /** 0 while nothing is sure; else which time in a row it has been sure, so that a change shows. */
  get term(): number {
    if (this.#isVerified && !this.#peers.isHeard) {
      this.#isVerified = false;
      this.#unsureSinceMs = performance.now();
    }
    return this.#isVerified ? this.#terms : 0;
  }

  /** Why nothing is begun, in one line, once that has lasted for longer than it takes to begin a term; else empty. */
  get reason(): string {
    if (this.term > 0 || performance.now() - this.#unsureSinceMs < UNSURE_MS_REPORTED) return '';
    return 'NATS does not bring back this process’s own signs of life, so nothing is processed: it must be allowed to publish and subscribe to the subject that ends in .alive';
  }

  /** `listener` is called when a term begins, before anyone else can see it. */
  onTerm(listener: () => void): void {
    this.#onTerm.add(listener);
  }

  async #verify(): Promise<void> {
    if (this.term > 0 || this.#isVerifying) return;
    this.#isVerifying = true;
    try {
      await this.#ledger.catchUp();
      if (!this.#peers.isHeard) return;
      this.#terms++;
      for (const listener of this.#onTerm) listener();
      this.#isVerified = true;
    } catch {
      // Closed.
    } finally {
      this.#isVerifying = false;
    }
  }
}
