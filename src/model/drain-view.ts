import type { DrainControl, DrainSetting } from './drain-control.js';

/** The answer of GET /drain. Times are ISO 8601 in UTC. */
export interface DrainView {
  /** Orders per second over all instances; 0 is no limit. */
  readonly rate: number;
  readonly followsSchedule: boolean;
  /** Why nothing is processed; null if it is not paused. */
  readonly pause: string | null;
  /** Who set it last, and when. */
  readonly by: string;
  readonly at: string;
  /** What `--drain-schedule` says now; null without it. */
  readonly scheduled: ScheduledView | null;
  readonly instances: readonly InstanceView[];
  /** Orders that wait or are being processed; null in direct mode, which keeps none. */
  readonly backlog: number | null;
  /** When the backlog will be gone at the present rate and schedule; null if that is unknown, or never. */
  readonly doneAt: string | null;
  /** Whether this server takes changes by PUT /drain. */
  readonly takesChanges: boolean;
}

export interface ScheduledView {
  /** Orders per second; 0 is no limit. */
  readonly rate: number | 'paused';
  /** When another window begins. */
  readonly until: string;
}

export interface InstanceView {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Orders per second; null without a limit. */
  readonly share: number | null;
  readonly isSelf: boolean;
  readonly seenAt: string;
}

/** What the drain of a server is asked for. */
export interface DrainFacts {
  readonly control: Pick<DrainControl, 'setting' | 'instances' | 'change'>;
  /** Null in direct mode. */
  readonly backlog: () => number | null;
  /** Epoch milliseconds; null if it is unknown, or never. */
  readonly doneAtMs: () => number | null;
  /** Null without `--drain-schedule`. */
  readonly scheduled: () => ScheduledView | null;
}

export function drainView(facts: DrainFacts, takesChanges: boolean): DrainView {
  const { control } = facts;
  const { rate, followsSchedule, pause, by, atMs }: DrainSetting = control.setting;
  const doneAtMs = facts.doneAtMs();
  return {
    rate,
    followsSchedule,
    pause,
    by,
    at: isoOf(atMs),
    scheduled: facts.scheduled(),
    instances: control.instances().map(({ id, host, pid, share, isSelf, seenAtMs }) => ({
      id,
      host,
      pid,
      share: Number.isFinite(share) ? share : null,
      isSelf,
      seenAt: isoOf(seenAtMs),
    })),
    backlog: facts.backlog(),
    doneAt: doneAtMs === null ? null : isoOf(doneAtMs),
    takesChanges,
  };
}

function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
