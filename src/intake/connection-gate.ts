import { COUNTER, GAUGE, type ThreadCounts } from '../metrics/count.js';
import type { ConnectionGate } from './http.js';

/** Why a connection is refused. */
export type RefusedConnection = 'all' | 'address';

/** Counts the connections of one thread too. */
export interface CountingGate extends ConnectionGate {
  readonly open: number;
  /** Since the start of the thread. */
  readonly accepted: number;
}

export interface GateParts {
  readonly counts: ThreadCounts;
  /** Open connections of all intake threads. */
  readonly open: () => number;
  readonly connectionsMax: number;
  /** Whether an address has more connections than it may; null: no limit. */
  readonly hasTooMany: ((peer: string) => boolean) | null;
  readonly onRefused: (reason: RefusedConnection) => void;
}

/**
 * Bounds the open connections of the process. Each thread counts its own, so threads that accept at the same moment can
 * exceed the limit by one connection each. What is refused still takes a descriptor until it is closed, which happens at
 * once.
 */
export class IntakeGate implements CountingGate {
  readonly #parts: GateParts;
  #open = 0;
  #accepted = 0;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  get open(): number {
    return this.#open;
  }

  get accepted(): number {
    return this.#accepted;
  }

  opened(peer: () => string): boolean {
    const { open, connectionsMax, hasTooMany } = this.#parts;
    this.#accepted++;
    this.#count(1);
    if (open() > connectionsMax) return this.#refuse('all');
    if (hasTooMany?.(peer())) return this.#refuse('address');
    return true;
  }

  closed(): void {
    this.#count(-1);
  }

  #count(change: number): void {
    this.#open += change;
    this.#parts.counts.set(GAUGE.openConnections, this.#open);
  }

  #refuse(reason: RefusedConnection): false {
    const { counts, onRefused } = this.#parts;
    counts.add(reason === 'all' ? COUNTER.connectionsRefused : COUNTER.addressesRefused);
    onRefused(reason);
    return false;
  }
}
