import { ZoneClock } from './zone-clock.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;

/** Orders per second; 0 is no limit, as in --drain-rate. */
export type ScheduledRate = number | 'paused';

/** One line of the file of --drain-schedule. */
export interface DayWindow {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly zone: string;
  /** Whether the window begins on that day of the week, from Sunday; 7 items. */
  readonly days: readonly boolean[];
  /** Minutes after midnight on the wall clock: 0 to 1439. */
  readonly fromMinute: number;
  /** 1 to 1440. At most `fromMinute`: the window ends on the next day. */
  readonly toMinute: number;
  readonly rate: ScheduledRate;
}

/** A stretch of time with one rate. */
export interface Slot {
  /** Epoch milliseconds. */
  readonly fromMs: number;
  /** When another window begins; epoch milliseconds. */
  readonly toMs: number;
  readonly rate: ScheduledRate;
  /** Null for the default. */
  readonly window: DayWindow | null;
}

/**
 * Rates by the wall clock: a window is in force while the clocks in its zone show a time in it. So a time that does not
 * exist on a day (clocks go forward) is skipped, and a time that exists twice (clocks go back) is in force twice. If several
 * windows are in force, the one that stands first in the file wins.
 */
export class DrainSchedule {
  readonly windows: readonly DayWindow[];
  readonly defaultRate: ScheduledRate;
  readonly #clocks = new Map<string, ZoneClock>();

  constructor(windows: readonly DayWindow[], defaultRate: ScheduledRate) {
    this.windows = windows;
    this.defaultRate = defaultRate;
    for (const { zone } of windows) {
      if (!this.#clocks.has(zone)) this.#clocks.set(zone, new ZoneClock(zone));
    }
  }

  /** @param atMs epoch milliseconds */
  rateAt(atMs: number): ScheduledRate {
    return this.#windowAt(atMs)?.rate ?? this.defaultRate;
  }

  /** What is in force from `fromMs` to `toMs`, without a gap. The first begins at `fromMs`, the last ends at `toMs`. */
  slots(fromMs: number, toMs: number): Slot[] {
    const slots: Slot[] = [];
    const starts = [fromMs, ...this.#candidates(fromMs, toMs)];
    for (const [i, startMs] of starts.entries()) {
      const window = this.#windowAt(startMs);
      const endMs = starts[i + 1] ?? toMs;
      const before = slots.at(-1);
      if (before?.window === window && before !== undefined) {
        slots[slots.length - 1] = { ...before, toMs: endMs };
      } else {
        const rate = window?.rate ?? this.defaultRate;
        slots.push({ fromMs: startMs, toMs: endMs, rate, window });
      }
    }
    return slots;
  }

  /** Instants between, in order, at which another window can come into force. */
  #candidates(fromMs: number, toMs: number): number[] {
    const found = new Set<number>();
    const add = (ms: number) => {
      if (ms > fromMs && ms < toMs) found.add(ms);
    };
    for (const [zone, clock] of this.#clocks) {
      const windows = this.windows.filter((window) => window.zone === zone);
      const minutes = new Set(windows.flatMap((w) => [w.fromMinute, w.toMinute]));
      for (let stretchMs = fromMs; stretchMs < toMs; ) {
        const stretch = clock.stretch(stretchMs);
        const endMs = Math.min(stretch.toMs, toMs);
        // Here the clock may jump.
        add(endMs);
        const firstDay = Math.floor((stretchMs + stretch.offsetMs) / DAY_MS);
        const lastDay = Math.floor((endMs + stretch.offsetMs) / DAY_MS);
        for (let day = firstDay; day <= lastDay; day++) {
          for (const minute of minutes) {
            const ms = day * DAY_MS + minute * MINUTE_MS - stretch.offsetMs;
            if (ms >= stretchMs && ms < endMs) add(ms);
          }
        }
        stretchMs = endMs;
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  #windowAt(atMs: number): DayWindow | null {
    return this.windows.find((window) => this.#holds(window, atMs)) ?? null;
  }

  #holds(window: DayWindow, atMs: number): boolean {
    const clockMs = atMs + this.#clocks.get(window.zone)!.offsetMs(atMs);
    return isInForce(window, weekdayOf(clockMs), Math.floor(modulo(clockMs, DAY_MS) / MINUTE_MS));
  }
}

/** Whether the window is in force at that minute (0 to 1439) of a day of the week, from Sunday. */
function isInForce(
  { days, fromMinute, toMinute }: DayWindow,
  weekday: number,
  minute: number,
): boolean {
  const isToday = days[weekday]! && minute >= fromMinute;
  if (fromMinute < toMinute) return isToday && minute < toMinute;
  const begunYesterday = days[modulo(weekday - 1, 7)]! && minute < toMinute;
  return isToday || begunYesterday;
}

/** The first line that is never in force, because lines before it cover it; null when there is none. */
export function hiddenWindow(windows: readonly DayWindow[]): DayWindow | null {
  const coveredIn = new Map<string, Set<number>>();
  for (const window of windows) {
    const covered = coveredIn.get(window.zone) ?? new Set();
    coveredIn.set(window.zone, covered);
    const before = covered.size;
    for (let weekday = 0; weekday < 7; weekday++) {
      for (let minute = 0; minute < DAY_MINUTES; minute++) {
        if (isInForce(window, weekday, minute)) covered.add(weekday * DAY_MINUTES + minute);
      }
    }
    if (covered.size === before) return window;
  }
  return null;
}

/** Of the day that a clock shows: 1970-01-01 was a Thursday. */
function weekdayOf(clockMs: number): number {
  return modulo(Math.floor(clockMs / DAY_MS) + 4, 7);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
