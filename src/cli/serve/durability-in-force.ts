import { COUNTER, TotalCounts } from '../../metrics/count.js';
import { type Durability, spoolDurability } from '../../model/durability.js';

export interface DurabilityParts {
  /** Of the journal. */
  readonly journal: () => Durability;
  /** Why orders go to the spool, as far as the connections tell; empty if they do not. */
  readonly spoolReasons: () => readonly string[];
  /** Memory made by `createCounts`. */
  readonly counts: SharedArrayBuffer;
}

/** How long the spool counts as in use after an order went there: longer than between two rows of the live page. */
const SPOOLED_MS_MAX = 3000;

/**
 * What an order survives that is accepted now: the weaker guarantee of the spool while orders go there. A connection
 * that is up can still take no frames, as that of a frozen server, so the spool's count tells too.
 */
export class DurabilityInForce {
  readonly #parts: DurabilityParts;
  readonly #totals: TotalCounts;
  #spooled = 0;
  #spooledAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: DurabilityParts) {
    this.#parts = parts;
    this.#totals = new TotalCounts(parts.counts);
  }

  read(): Durability {
    const spooled = this.#totals.get(COUNTER.ordersSpooled);
    const nowMs = performance.now();
    if (spooled > this.#spooled) this.#spooledAtMs = nowMs;
    this.#spooled = spooled;
    const [reason = ''] = this.#parts.spoolReasons();
    const isSpooling = reason !== '' || nowMs - this.#spooledAtMs < SPOOLED_MS_MAX;
    if (!isSpooling) return this.#parts.journal();
    return spoolDurability(reason || 'NATS did not take the latest frames');
  }
}
