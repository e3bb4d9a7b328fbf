import type { DrainControl } from '../model/drain-control.js';
import { SCHEDULED_PAUSE } from './schedule/follow.js';
import type { DrainSchedule, ScheduledRate, Slot } from './schedule/schedule.js';

const SAMPLE_MS = 250;
/** How long the past is that the throughput is measured over. */
const MEASURED_MS = 5000;
/** Less than that says nothing. */
const MEASURED_MS_MIN = 1500;
/** Long enough to tell that this process uses its share, and short enough to tell it soon. */
const SHARE_MS = 2000;
/** What is measured is the rate limit, apart from this share of it: the limit holds the drain back, not the handler. */
const REACHED_RATIO = 0.9;
/** Orders that must have started to tell how many of the starts are retries. */
const STARTS_MIN = 20;
/** Backlogs that last longer have no due time. */
const HORIZON_MS = 35 * 86_400_000;
const SLOTS_MS = 3_600_000;

export interface DueTimeParts {
  readonly control: DrainControl;
  /** Null without --drain-schedule. */
  readonly schedule: DrainSchedule | null;
  /** Orders that this process has finished: done or dead; never decreases. */
  readonly finished: () => number;
  /** Orders that this process has started, again counted again; never decreases. */
  readonly started: () => number;
  readonly backlog: () => number;
  /** Whether this process drains. */
  readonly drains: boolean;
  /** Orders per second that all instances finish, null if unknown; null where no other process can drain. */
  readonly throughputOfAll: (() => number | null) | null;
  /** Why orders cannot be processed; empty if they can. */
  readonly outage: () => string;
  readonly nowMs?: () => number;
  /** Monotonic. */
  readonly tickMs?: () => number;
}

interface Sample {
  readonly tickMs: number;
  readonly finished: number;
  readonly started: number;
  readonly backlog: number;
}

/** What the last seconds tell. */
interface Measured {
  readonly isLongEnough: boolean;
  /** Whether this process has started nearly all that its share of the rate allows. */
  readonly isShareUsed: boolean;
  /** Orders per second that were finished, null if unknown, and that arrived. */
  readonly throughput: number | null;
  readonly arrivals: number;
  /** Finished orders per start: 1 without retries. */
  readonly yield: number;
  /** Whether there was something to do all the time. */
  readonly isBusy: boolean;
}

/**
 * When orders will be done: by the rate in force, the schedule, and what was finished in the last seconds. The only
 * place that computes it: receipts, page, metrics and GET /drain ask here.
 */
export class DueTime {
  readonly #parts: DueTimeParts;
  readonly #nowMs: () => number;
  readonly #tickMs: () => number;
  readonly #timer: NodeJS.Timeout;
  #samples: Sample[] = [];
  #slots: Slot[] = [];

  constructor(parts: DueTimeParts) {
    this.#parts = parts;
    this.#nowMs = parts.nowMs ?? Date.now;
    this.#tickMs = parts.tickMs ?? (() => performance.now());
    // What was measured at another rate says nothing about this one.
    parts.control.onChange(() => {
      this.#samples = [];
    });
    this.#timer = setInterval(() => this.sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  sample(): void {
    const { finished, started, backlog } = this.#parts;
    const tickMs = this.#tickMs();
    this.#samples.push({ tickMs, finished: finished(), started: started(), backlog: backlog() });
    while (tickMs - this.#samples[0]!.tickMs > MEASURED_MS) this.#samples.shift();
  }

  /** When `orders` that wait in line will be done, epoch milliseconds; null if that cannot be known. */
  doneAtMs(orders: number): number | null {
    const atMs = this.#doneAtMs(orders, 0);
    return atMs === Number.POSITIVE_INFINITY ? null : atMs;
  }

  /**
   * When the backlog will be gone if orders go on to arrive as in the last seconds: epoch milliseconds, now if there is
   * none; Infinity if it grows for ever, or longer than 35 days; null if that cannot be known.
   */
  backlogGoneAtMs(): number | null {
    return this.#doneAtMs(this.#parts.backlog(), this.#measured().arrivals);
  }

  /** When the window of the schedule in force ends, epoch milliseconds; Infinity without one, and while it is paused. */
  windowEndsAtMs(): number {
    const slot = this.#parts.control.setting.followsSchedule ? this.scheduledNow() : null;
    const isOpen = slot !== null && slot.window !== null && slot.rate !== 'paused';
    return isOpen ? slot.toMs : Number.POSITIVE_INFINITY;
  }

  /** What the schedule says now, whether or not it is followed; null without one. */
  scheduledNow(): Slot | null {
    return this.#parts.schedule === null ? null : this.#slotsFrom(this.#nowMs())[0]!;
  }

  #doneAtMs(orders: number, arrivals: number): number | null {
    const nowMs = this.#nowMs();
    if (orders <= 0) return nowMs;
    const { outage, drains, throughputOfAll } = this.#parts;
    if (outage() !== '' || !(drains || throughputOfAll !== null)) return null;
    const measured = this.#measured();
    let left = orders;
    for (const { fromMs, toMs, rate } of this.#rates(nowMs)) {
      const speed = rate === 'paused' ? 0 : this.#speed(rate, measured);
      if (speed === null) return null;
      const perMs = (speed - arrivals) / 1000;
      const lastsMs = left / perMs;
      const endMs = Math.min(toMs, nowMs + HORIZON_MS);
      if (perMs > 0 && lastsMs <= endMs - fromMs) return fromMs + lastsMs;
      if (toMs === Number.POSITIVE_INFINITY) return speed === 0 ? null : toMs;
      left -= perMs * (toMs - fromMs);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** The rates from now on. In the window in force, what was set holds. */
  #rates(nowMs: number): { fromMs: number; toMs: number; rate: ScheduledRate }[] {
    const { control, schedule } = this.#parts;
    const { rate, pause, followsSchedule } = control.setting;
    const inForce = pause === null ? rate : 'paused';
    const isScheduled = pause === null || pause === SCHEDULED_PAUSE;
    if (schedule === null || !followsSchedule || !isScheduled) {
      return [{ fromMs: nowMs, toMs: Number.POSITIVE_INFINITY, rate: inForce }];
    }
    const [first, ...later] = this.#slotsFrom(nowMs);
    return [{ fromMs: nowMs, toMs: first!.toMs, rate: inForce }, ...later];
  }

  #slotsFrom(nowMs: number): Slot[] {
    const [first] = this.#slots;
    if (first === undefined || nowMs < first.fromMs || nowMs >= first.fromMs + SLOTS_MS) {
      this.#slots = this.#parts.schedule!.slots(nowMs, nowMs + HORIZON_MS);
    }
    return this.#slots.filter(({ toMs }) => nowMs < toMs);
  }

  /** Orders per second that will be finished at that rate; null if unknown. */
  #speed(rate: number, measured: Measured): number | null {
    const { throughput, isBusy, isLongEnough, isShareUsed } = measured;
    const { rate: rateNow } = this.#parts.control.setting;
    if (throughput === null) return rate > 0 ? rate : null;
    const isRateReached = throughput >= REACHED_RATIO * rateNow * measured.yield;
    // Shares go to where they are used. So when this process uses its own, no other leaves any unused. What all finish is
    // counted in whole frames: a bad measure while few are finished in a second.
    const isHeldBack = rateNow > 0 && (isRateReached || isShareUsed);
    // What the handler can do is known only while there is work and the limit does not hold it back.
    const isHandlerBound = isLongEnough && isBusy && !isHeldBack;
    if (rate > 0) {
      const most = rate * measured.yield;
      return isHandlerBound ? Math.min(most, throughput) : most;
    }
    return throughput > 0 ? throughput : null;
  }

  #measured(): Measured {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    const spanMs = first === undefined ? 0 : last!.tickMs - first.tickMs;
    if (spanMs < MEASURED_MS_MIN) {
      const nothing = { throughput: 0, arrivals: 0, yield: 1, isBusy: false, isShareUsed: false };
      return { isLongEnough: false, ...nothing };
    }
    const finished = last!.finished - first!.finished;
    const started = last!.started - first!.started;
    const own = (finished * 1000) / spanMs;
    const { throughputOfAll, control, drains } = this.#parts;
    const instances = control.instances();
    const isAlone = drains && instances.length <= 1;
    const share = instances.find(({ isSelf }) => isSelf)?.share ?? 0;
    // All finish at least what this process does, also while no frame is complete.
    const all = throughputOfAll === null || isAlone ? own : throughputOfAll();
    const throughput = all === null ? null : Math.max(own, all);
    const grown = ((last!.backlog - first!.backlog) * 1000) / spanMs;
    return {
      isLongEnough: true,
      isShareUsed: share > 0 && this.#isStarting(REACHED_RATIO * share),
      throughput,
      arrivals: Math.max(0, grown + (throughput ?? 0)),
      yield: started < STARTS_MIN ? 1 : Math.min(1, finished / started),
      isBusy: this.#samples.every(({ backlog }) => backlog > 0),
    };
  }
  /** Whether so many orders per second were started in all of the time measured, or in the last part of it. */
  #isStarting(ordersPerS: number): boolean {
    const last = this.#samples.at(-1)!;
    const recent = this.#samples.find(({ tickMs }) => last.tickMs - tickMs <= SHARE_MS)!;
    return [this.#samples[0]!, recent].some(({ tickMs, started }) => {
      const spanMs = last.tickMs - tickMs;
      return spanMs > 0 && (last.started - started) * 1000 >= ordersPerS * spanMs;
    });
  }
}
