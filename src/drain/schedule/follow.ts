import {
  BY_OPTION,
  BY_SCHEDULE,
  type DrainChange,
  type DrainControl,
  type DrainSetting,
} from '../../model/drain-control.js';
import type { Log } from '../../model/log.js';
import type { DrainSchedule, Slot } from './schedule.js';

/** Why nothing is processed in a window that is `paused`. The schedule ends no other pause. */
export const SCHEDULED_PAUSE = 'a window of --drain-schedule';

const CHECK_MS = 200;
/** Far enough for the longest window. */
const SLOT_MS_MAX = 8 * 86_400_000;

/**
 * Applies the rate of each window when it begins. Several instances do so at the same time: what is set already is not
 * written again. It writes once for each window, so an operator who resumes in a window that is paused is not overruled.
 */
export class ScheduleFollower {
  readonly #schedule: DrainSchedule;
  readonly #control: DrainControl;
  readonly #log: Log;
  readonly #nowMs: () => number;
  #slot: Slot;
  #isDue: boolean;
  #isChanging = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(schedule: DrainSchedule, control: DrainControl, log: Log, nowMs = Date.now) {
    this.#schedule = schedule;
    this.#control = control;
    this.#log = log;
    this.#nowMs = nowMs;
    this.#slot = this.#slotNow();
    // An operator who has resumed in a paused window is not overruled. All else follows the file, which may be another now.
    const { by, atMs } = control.setting;
    const isOperators = by !== BY_OPTION && by !== BY_SCHEDULE && atMs >= this.#slot.fromMs;
    this.#isDue = !isOperators || this.#slot.rate !== 'paused';
    control.onChange((now, before) => this.#onChange(now, before));
  }

  start(): void {
    this.#timer = setInterval(() => this.check(), CHECK_MS);
    this.#timer.unref();
    this.check();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Applies what is due. */
  check(): void {
    const nowMs = this.#nowMs();
    // The clock can also be set back.
    if (nowMs < this.#slot.fromMs || nowMs >= this.#slot.toMs) {
      this.#slot = this.#slotNow();
      this.#isDue = true;
    }
    if (this.#isDue && !this.#isChanging) void this.#apply();
  }

  #slotNow(): Slot {
    const nowMs = this.#nowMs();
    const slots = this.#schedule.slots(nowMs - SLOT_MS_MAX, nowMs + SLOT_MS_MAX);
    return slots.find(({ toMs }) => nowMs < toMs)!;
  }

  async #apply(): Promise<void> {
    this.#isDue = false;
    const change = changeFor(this.#control.setting, this.#slot);
    if (change === null) return;
    this.#isChanging = true;
    try {
      await this.#control.change(change);
    } catch (error) {
      this.#isDue = true;
      this.#log('schedule-waits', `the drain schedule waits: ${(error as Error).message}`);
    } finally {
      this.#isChanging = false;
    }
  }

  #onChange(now: DrainSetting, before: DrainSetting): void {
    const isFollowed = now.followsSchedule && !before.followsSchedule;
    // While an operator paused, nothing was written, so that the reason keeps its author.
    const isResumed =
      before.pause !== null && before.pause !== SCHEDULED_PAUSE && now.pause === null;
    if (isFollowed || isResumed) this.#isDue = true;
  }
}

/** Null if nothing is to be changed. */
function changeFor({ followsSchedule, pause }: DrainSetting, { rate }: Slot): DrainChange | null {
  if (pause !== null && pause !== SCHEDULED_PAUSE) return null;
  // The operator who has set a rate in a paused window does not follow the schedule any more.
  if (!followsSchedule)
    return pause === null || rate === 'paused' ? null : { pause: null, by: BY_SCHEDULE };
  return rate === 'paused'
    ? { pause: SCHEDULED_PAUSE, by: BY_SCHEDULE }
    : { rate, pause: null, by: BY_SCHEDULE };
}
