import type { Allowance, AllowanceUse } from '../model/drain-control.js';
import { type Grant, SlotWindow, type StartedAt } from './slot-window.js';

/** Limits the rate at which orders are processed. */
export interface Pacer {
  /** Whether the rate kept orders waiting a moment ago. If not, grants may be taken before a thread is free. */
  readonly isBinding: boolean;
  /** Orders are to be refused instead of kept waiting: the drain is paused, and clients wait for each order. */
  readonly refuses: boolean;
  /** A grant for 1 to `orders` orders; null if none may start now, or if others wait by `admit`. */
  take(orders: number): Grant | null;
  /** Milliseconds until `take` should be asked again. */
  waitMs(orders: number): number;
  /** Waits for what `take` gives. Null if the orders must be returned without running. */
  admit(orders: number): Promise<Grant | null>;
}

/** See `StartGate`. */
interface Gate {
  readonly epoch: number;
  admits(epoch: number, monotonicNs: number, epochMs: number): boolean;
  revoke(): void;
}

export interface PaceParts {
  readonly allowance: Allowance;
  readonly gate: Gate;
  readonly startedAt: StartedAt;
  /** A monotonic clock that all threads share. */
  readonly nowNs: () => number;
  /** The wall clock; epoch milliseconds. */
  readonly nowMs: () => number;
  /** False if clients wait for each order: then a pause refuses them. */
  readonly canWait: boolean;
  /** Called with the orders of each grant, without those that were given back and are taken again. */
  readonly onTaken: (orders: number) => void;
}

const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
/** A backlog is not processed in one burst per second, but in this many. */
const BURSTS_PER_SECOND = 20;
/** So many bursts are made up for after a timer was late. */
const BURSTS_MAX = 2;
const BINDING_NS = 2 * NS_PER_S;
/** How often it is looked whether orders may start again. A change of the allowance is seen at once. */
const CLOSED_POLL_MS = 50;
/** How often the number of slots that are wanted is brought up to date. */
const WANT_POLL_MS = 500;

/** The most orders in one burst, for a rate in orders per second. */
export function burstOf(rate: number): number {
  return Math.ceil(rate / BURSTS_PER_SECOND);
}

interface Waiter {
  readonly orders: number;
  readonly resolve: (grant: Grant | null) => void;
}

/**
 * At most as many orders start in any second as the allowance has slots, judged at the first line of the handler: see
 * `SlotWindow`. The allowance is asked each time, so a change is in force at once. When there are fewer slots than
 * before, grants whose calls have not started are revoked: their orders come back and wait.
 *
 * That alone would process a backlog in one burst per second. So a token bucket spreads the orders: it fills evenly with
 * the rate. Of many orders, as many as a burst are granted together, so that a batch is worth its call.
 */
export class Pace implements Pacer, AllowanceUse {
  readonly #parts: PaceParts;
  readonly #window: SlotWindow;
  readonly #waiters: Waiter[] = [];
  #slotsBefore: number;
  #tokens = 1;
  #filledAtNs: number;
  /** Orders that were counted, given back, and not taken again. */
  #givenBack = 0;
  #boundAtNs = Number.NEGATIVE_INFINITY;
  #wanted = 0;
  #serving: NodeJS.Timeout | null = null;
  #wanting: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(parts: PaceParts) {
    this.#parts = parts;
    this.#window = new SlotWindow(parts.startedAt, parts.nowNs, this.#onFree);
    this.#slotsBefore = parts.allowance.slots;
    this.#filledAtNs = parts.nowNs();
    this.#fillUp();
    parts.allowance.follow(this);
  }

  get inUse(): number {
    this.#window.settle();
    return this.#window.used;
  }

  get isBinding(): boolean {
    return this.#parts.nowNs() - this.#boundAtNs < BINDING_NS;
  }

  get refuses(): boolean {
    return !this.#parts.canWait && this.#parts.allowance.slots === 0;
  }

  take(orders: number): Grant | null {
    return this.#waiters.length > 0 ? null : this.#take(orders);
  }

  waitMs(orders: number): number {
    const waitMs = this.#waitMs(orders);
    return this.#waiters.length > 0 ? Math.max(CLOSED_POLL_MS, waitMs) : waitMs;
  }

  admit(orders: number): Promise<Grant | null> {
    return new Promise((resolve) => {
      this.#waiters.push({ orders, resolve });
      this.#serve();
    });
  }

  /** To be called when the allowance has changed. */
  allowanceChanged(): void {
    const { allowance, gate } = this.#parts;
    const before = this.#slotsBefore;
    this.#slotsBefore = allowance.slots;
    if (allowance.slots < before) gate.revoke();
    if (before === 0 || before === Number.POSITIVE_INFINITY) this.#fillUp();
    this.#serve();
  }

  /** Those who wait get no grant, and nobody does from now on. */
  stop(): void {
    this.#stopped = true;
    if (this.#wanting !== null) clearInterval(this.#wanting);
    this.#serve();
  }

  #take(orders: number): Grant | null {
    const { allowance, gate, onTaken } = this.#parts;
    const { slots } = allowance;
    const { epoch } = gate;
    if (!this.#isOpen(epoch) || slots === 0) return this.#refused(slots, orders);
    let grant: Grant;
    if (slots === Number.POSITIVE_INFINITY) {
      grant = new FreeGrant(orders, epoch, this.#onFree);
    } else {
      this.#window.settle();
      this.#fill(slots);
      const room = Math.min(slots - this.#window.used, Math.floor(this.#tokens));
      if (room < Math.min(orders, burstOf(slots))) return this.#refused(slots, orders);
      grant = this.#window.grant(Math.min(orders, room), epoch);
      this.#tokens -= grant.orders;
      if (this.#wanted < this.#window.used) this.#want(this.#window.used);
    }
    const again = Math.min(this.#givenBack, grant.orders);
    this.#givenBack -= again;
    onTaken(grant.orders - again);
    return grant;
  }

  #refused(slots: number, orders: number): null {
    this.#boundAtNs = this.#parts.nowNs();
    this.#want(Math.max(this.#wanted, 2 * slots, this.#window.used + orders));
    return null;
  }

  #waitMs(orders: number): number {
    const { slots } = this.#parts.allowance;
    if (!this.#isOpen(this.#parts.gate.epoch) || slots === 0) return CLOSED_POLL_MS;
    if (slots === Number.POSITIVE_INFINITY) return 0;
    this.#window.settle();
    this.#fill(slots);
    const needed = Math.min(orders, burstOf(slots));
    const tokensNs = ((needed - this.#tokens) / slots) * NS_PER_S;
    return Math.max(0, tokensNs, this.#window.untilUsedNs(slots - needed)) / NS_PER_MS;
  }

  /** Whether a call could start now. */
  #isOpen(epoch: number): boolean {
    const { gate, nowNs, nowMs } = this.#parts;
    return gate.admits(epoch, nowNs(), nowMs());
  }

  #fill(slots: number): void {
    const nowNs = this.#parts.nowNs();
    const filled = this.#tokens + ((nowNs - this.#filledAtNs) * slots) / NS_PER_S;
    this.#tokens = Math.min(BURSTS_MAX * burstOf(slots), filled);
    this.#filledAtNs = nowNs;
  }

  /** One burst may start at once. */
  #fillUp(): void {
    const { slots } = this.#parts.allowance;
    if (slots < Number.POSITIVE_INFINITY) this.#tokens = burstOf(slots);
    this.#filledAtNs = this.#parts.nowNs();
  }

  readonly #onFree = (orders: number): void => {
    this.#givenBack += orders;
    this.#tokens += orders;
    this.#serve();
  };

  readonly #serve = (): void => {
    if (this.#serving !== null) clearTimeout(this.#serving);
    this.#serving = null;
    while (this.#waiters.length > 0) {
      const { orders, resolve } = this.#waiters[0]!;
      const grant = this.#stopped || this.refuses ? null : this.#take(orders);
      if (grant === null && !this.#stopped && !this.refuses) {
        this.#serving = setTimeout(this.#serve, Math.max(1, Math.ceil(this.#waitMs(orders))));
        return;
      }
      this.#waiters.shift();
      resolve(grant);
    }
  };

  #want(slots: number): void {
    if (slots === this.#wanted || this.#stopped) return;
    this.#wanted = slots;
    this.#parts.allowance.want(slots);
    this.#wanting ??= setInterval(this.#wantLess, WANT_POLL_MS).unref();
  }

  /** While the rate does not bind, what is in use is enough. */
  readonly #wantLess = (): void => {
    if (this.isBinding) return;
    this.#want(this.inUse);
    if (this.#wanted > 0) return;
    clearInterval(this.#wanting!);
    this.#wanting = null;
  };
}

/** There is no limit. */
class FreeGrant implements Grant {
  readonly orders: number;
  readonly epoch: number;
  readonly #onFree: (orders: number) => void;

  constructor(orders: number, epoch: number, onFree: (orders: number) => void) {
    this.orders = orders;
    this.epoch = epoch;
    this.#onFree = onFree;
  }

  giveBack(): void {
    this.#onFree(this.orders);
  }

  sent(): void {}

  ended(): void {}
}
