const NS_PER_S = 1e9;
/**
 * How long an order keeps its slot after its call has started. One percent more than a second: the first line of the
 * handler runs a little after the start that its thread has noted, and the clocks of those who measure it are rounded.
 */
export const WINDOW_NS = 1.01 * NS_PER_S;

/** Permission to start some orders, in one call. Its holder calls `giveBack`, or `sent` and then `ended` or `giveBack`. */
export interface Grant {
  readonly orders: number;
  /** See `StartGate`. */
  readonly epoch: number;
  /** The call was not made, or it has certainly not started the orders. */
  giveBack(): void;
  /** The call is made, under this number of `StartedCalls`. */
  sent(call: number): void;
  /** The call is over. @param startedNs when it has started; 0 if that is not known */
  ended(startedNs: number): void;
}

/** When a call has started by `StartedCalls`; 0 if it has not. */
export type StartedAt = (call: number) => number;

/**
 * The slots of orders that may have started within the last second. A grant holds its slots from the moment it is made
 * until its call has started, and then for a window. So however late a thread begins the call, two orders in the same slot
 * start a window apart. Times are nanoseconds.
 */
export class SlotWindow {
  readonly #startedAt: StartedAt;
  readonly #nowNs: () => number;
  readonly #onFree: (orders: number) => void;
  /** Whose calls may not have started. */
  readonly #held = new Set<HeldGrant>();
  /** Whose calls have started, the first to be free at the front. */
  readonly #started: HeldGrant[] = [];
  #used = 0;

  /** @param onFree called with the orders of a grant that is given back */
  constructor(startedAt: StartedAt, nowNs: () => number, onFree: (orders: number) => void) {
    this.#startedAt = startedAt;
    this.#nowNs = nowNs;
    this.#onFree = onFree;
  }

  /** Slots in use, as of the last `settle`. */
  get used(): number {
    return this.#used;
  }

  /** The caller has seen that there are so many slots. */
  grant(orders: number, epoch: number): Grant {
    const grant = new HeldGrant(orders, epoch, this);
    this.#held.add(grant);
    this.#used += orders;
    return grant;
  }

  /** Finds out which calls have started, and frees what is free. */
  settle(): void {
    for (const grant of this.#held) {
      const startedNs = grant.call === 0 ? 0 : this.#startedAt(grant.call);
      if (startedNs > 0) this.#starts(grant, startedNs);
    }
    const nowNs = this.#nowNs();
    while (this.#started.length > 0 && this.#started[0]!.freeAtNs <= nowNs) {
      this.#used -= this.#started.shift()!.orders;
    }
  }

  /** How long it takes until at most `usedMax` slots are in use, as of the last `settle`; nanoseconds. */
  untilUsedNs(usedMax: number): number {
    let used = this.#used;
    if (used <= usedMax) return 0;
    for (const { orders, freeAtNs } of this.#started) {
      used -= orders;
      if (used <= usedMax) return freeAtNs - this.#nowNs();
    }
    // Those whose calls have not started are free a window from now at the soonest.
    return WINDOW_NS;
  }

  giveBack(grant: HeldGrant): void {
    if (this.#held.delete(grant)) this.#used -= grant.orders;
    this.#onFree(grant.orders);
  }

  ended(grant: HeldGrant, startedNs: number): void {
    // Its start may have been seen before. It is not known whether a thread that died had begun the call.
    if (this.#held.has(grant)) this.#starts(grant, startedNs || this.#nowNs());
  }

  #starts(grant: HeldGrant, atNs: number): void {
    this.#held.delete(grant);
    grant.freeAtNs = atNs + WINDOW_NS;
    let at = this.#started.length;
    while (at > 0 && this.#started[at - 1]!.freeAtNs > grant.freeAtNs) at--;
    this.#started.splice(at, 0, grant);
  }
}

class HeldGrant implements Grant {
  readonly orders: number;
  readonly epoch: number;
  /** 0 before it is sent and after it has ended. */
  call = 0;
  freeAtNs = 0;
  readonly #window: SlotWindow;

  constructor(orders: number, epoch: number, window: SlotWindow) {
    this.orders = orders;
    this.epoch = epoch;
    this.#window = window;
  }

  giveBack(): void {
    this.call = 0;
    this.#window.giveBack(this);
  }

  sent(call: number): void {
    this.call = call;
  }

  ended(startedNs: number): void {
    this.call = 0;
    this.#window.ended(this, startedNs);
  }
}
