/** What operators set about the drain while it runs: rate and pause. The journal keeps it over restarts. */

import type { Log } from './log.js';
import type { Options } from './options.js';

/** The same for all instances that share a journal. */
export interface DrainSetting {
  /** The most orders that start in any second, over all instances; 0 is no limit. */
  readonly rate: number;
  /** Whether the rate is to follow `--drain-schedule`. A rate set by hand ends that until it is set again. */
  readonly followsSchedule: boolean;
  /** Why nothing is processed, in one line; null if it is not paused. */
  readonly pause: string | null;
  /** Who set it last: `user@host`, `schedule` or `--drain-rate`; one line. */
  readonly by: string;
  /** When; epoch milliseconds. */
  readonly atMs: number;
}

/** Members that are left out stay as they are. So a rate set by hand comes with `followsSchedule: false`. */
export interface DrainChange {
  readonly rate?: number;
  readonly followsSchedule?: boolean;
  readonly pause?: string | null;
  readonly by: string;
}

/** A process that drains the journal. */
export interface DrainInstance {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** How many orders it may start in any second; Infinity without a limit. */
  readonly share: number;
  readonly isSelf: boolean;
  /** When it was last heard of; epoch milliseconds. */
  readonly seenAtMs: number;
}

export interface DrainControl {
  readonly setting: DrainSetting;
  /**
   * Resolves with the new setting when it is kept. A change that changes nothing is not written.
   * @throws Error it is not valid or cannot be kept; the message is one line
   */
  change(change: DrainChange): Promise<DrainSetting>;
  /** `listener` is called after each change, by whichever instance. */
  onChange(listener: (now: DrainSetting, before: DrainSetting) => void): void;
  /** At least this process. */
  instances(): readonly DrainInstance[];
}

/** What this process may start. */
export interface Allowance {
  /** The most orders that it may start in any second: Infinity without a limit, 0 while paused or without a lease. */
  readonly slots: number;
  /** Until when that holds. After it, nothing starts. */
  readonly validUntil: StartDeadline;
  /** How many orders this process could start in a second now. Shares move by it. */
  want(slots: number): void;
  /** To be called once, by whoever starts the orders. */
  follow(use: AllowanceUse): void;
  /** `listener` is called when `slots` or `validUntil` has changed. */
  onChange(listener: () => void): void;
}

export interface AllowanceUse {
  /** Orders that have started within the last second, and those that may still start. */
  readonly inUse: number;
}

/** A moment by two clocks: the monotonic one stands still while the machine is suspended, the other one can be set. */
export interface StartDeadline {
  /** As of `monotonicNs`; Infinity for no deadline. */
  readonly monotonicNs: number;
  /** Epoch milliseconds; Infinity for no deadline. */
  readonly epochMs: number;
}

export const NO_DEADLINE: StartDeadline = {
  monotonicNs: Number.POSITIVE_INFINITY,
  epochMs: Number.POSITIVE_INFINITY,
};

/** Who has set a rate that an option gave. */
export const BY_OPTION = '--drain-rate';
/** Who has set what the windows of the day say. */
export const BY_SCHEDULE = 'schedule';

export const DRAIN_RATE_MAX = 1_000_000;
const BY_CHARS_MAX = 100;
const PAUSE_CHARS_MAX = 200;

/**
 * The setting after a change; the same object if nothing changes. Texts are cut and made one line.
 * @throws Error the change is not valid; the message is one line
 */
export function changed(setting: DrainSetting, change: DrainChange, nowMs: number): DrainSetting {
  const { rate = setting.rate, followsSchedule = setting.followsSchedule } = change;
  if (!Number.isInteger(rate) || rate < 0 || rate > DRAIN_RATE_MAX) {
    throw new Error(`rate ${rate}: it must be a whole number from 0 to ${DRAIN_RATE_MAX}`);
  }
  const given = change.pause === undefined ? setting.pause : change.pause;
  const pause = given === null ? null : lineOf(given, PAUSE_CHARS_MAX) || 'no reason given';
  const isSame =
    rate === setting.rate && followsSchedule === setting.followsSchedule && pause === setting.pause;
  if (isSame) return setting;
  const by = lineOf(change.by, BY_CHARS_MAX) || 'unknown';
  return { rate, followsSchedule, pause, by, atMs: nowMs };
}

/** `text` in one line without control characters, cut to `charsMax`. */
function lineOf(text: string, charsMax: number): string {
  // A cut must not leave half a character behind.
  return [...text.replace(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()]
    .slice(0, charsMax)
    .join('');
}

/** Why nothing is processed, for /readyz; empty if the drain is not paused. */
export function pausedText({ pause, by }: DrainSetting): string {
  return pause === null ? '' : `processing is paused by ${by}: ${pause}`;
}

/** A setting in a few words, such as `60 orders/s` or `no limit, paused: deploy`. */
export function settingText({ rate, followsSchedule, pause }: DrainSetting): string {
  const limit = rate === 0 ? 'no limit' : `${rate} orders/s`;
  const schedule = followsSchedule ? ' by the schedule' : '';
  return `${limit}${schedule}${pause === null ? '' : `, paused: ${pause}`}`;
}

/**
 * The setting at the start of a process: the one that was kept, else the option. Says so in the log if they differ.
 * @param kept null if nothing was ever set
 */
export function settingAtStart(
  options: Pick<Options, 'drainRate' | 'drainSchedule'>,
  kept: DrainSetting | null,
  log: Log,
): DrainSetting {
  const { drainRate, drainSchedule } = options;
  if (kept === null) {
    return {
      rate: drainRate,
      followsSchedule: drainSchedule !== '',
      pause: null,
      by: BY_OPTION,
      atMs: Date.now(),
    };
  }
  const { fact, fix, isRefused } = keptText(options, kept);
  if (isRefused) log('drain-rate-kept', `${fact}; ${fix}`);
  else if (kept.by !== BY_OPTION) log('drain-kept', fact);
  return kept;
}

/** Whether nobody but a schedule has set it, and there is none any more. */
export function isOfFormerSchedule(
  { drainSchedule }: Pick<Options, 'drainSchedule'>,
  { by }: DrainSetting,
): boolean {
  return drainSchedule === '' && by === BY_SCHEDULE;
}

/** What is in force by a kept setting. `isRefused`: the options ask for something else. */
export function keptText(
  { drainRate, drainSchedule }: Pick<Options, 'drainRate' | 'drainSchedule'>,
  kept: DrainSetting,
): { readonly fact: string; readonly fix: string; readonly isRefused: boolean } {
  const at = new Date(kept.atMs).toISOString();
  const inForce = `the drain was set to ${settingText(kept)} by ${kept.by} at ${at}`;
  const refused = (option: string, rate: number | 'schedule') => ({
    fact: `${option} is not in force: ${inForce}`,
    fix: `to change it: forebay drain --rate ${rate}`,
    isRefused: true,
  });
  if (drainSchedule === '' && kept.followsSchedule) {
    const fact = `the drain follows a schedule, and --drain-schedule is not given: ${inForce}`;
    return { fact, fix: `to end that: forebay drain --rate ${drainRate}`, isRefused: true };
  }
  // Whoever leaves the option out may not know that an earlier start has set a rate.
  const isGiven = drainRate !== 0 || kept.by === BY_OPTION;
  if (drainSchedule !== '') {
    if (!kept.followsSchedule) return refused(`--drain-schedule ${drainSchedule}`, 'schedule');
  } else if (isGiven && drainRate !== kept.rate) {
    return refused(`--drain-rate ${drainRate}`, drainRate);
  }
  return { fact: inForce, fix: '', isRefused: false };
}
