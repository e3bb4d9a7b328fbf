/** Processing: the drain, the schedule that steers it, and what both mean for the orders that wait. */
import { fileURLToPath } from 'node:url';
import { DueTime } from '../../src/drain/due-time.js';
import type { HandFile } from '../../src/drain/hand-file.js';
import { type DrainHandle, openDrain } from '../../src/drain/open.js';
import { ScheduleFollower } from '../../src/drain/schedule/follow.js';
import { loadSchedule } from '../../src/drain/schedule/parse.js';
import type { DrainSchedule } from '../../src/drain/schedule/schedule.js';
import { memoryControl } from '../../src/journal/kept-control.js';
import type { SourceHandle } from '../../src/journal/source-handle.js';
import { monotonicNs } from '../../src/limit/clock.js';
import { COUNTER, type ThreadCounts } from '../../src/metrics/count.js';
import type { DrainControl } from '../../src/model/drain-control.js';
import type { Log } from '../../src/model/log.js';
import type { Options } from '../../src/model/options.js';
import type { PlacedReceipt } from '../../src/model/receipt.js';

const POOL_ENTRY = fileURLToPath(new URL('../pool/entry.cjs', import.meta.url));

export interface Steering {
  readonly due: DueTime;
  /** Begins to apply the schedule. */
  readonly start: () => void;
  readonly stop: () => void;
}

/**
 * The schedule of the options; null without --drain-schedule.
 * @throws OperatorFault it cannot be read or is wrong
 */
export function scheduleOf({ drainSchedule, drainRate }: Options): DrainSchedule | null {
  return drainSchedule === '' ? null : loadSchedule(drainSchedule, drainRate);
}

export interface ProcessingParts {
  readonly options: Options;
  readonly log: Log;
  readonly schedule: DrainSchedule | null;
  /** The file URL of an ES module. */
  readonly handler: string;
  /** Null in direct mode. */
  readonly journal: SourceHandle | null;
  readonly hand: HandFile | null;
  readonly counts: ThreadCounts;
}

/** What takes the orders out of the journal, and what steers it. */
export function openProcessing(parts: ProcessingParts): {
  readonly control: DrainControl;
  readonly drain: DrainHandle;
  readonly steering: Steering;
} {
  const { options, journal, counts, hand, handler, log } = parts;
  const { control, allowance } = journal ?? memoryControl(options, log);
  const drain = openDrain({
    options,
    source: options.drain && journal !== null ? journal.source : null,
    counts,
    entry: POOL_ENTRY,
    handlerUrl: handler,
    control,
    allowance,
    nowNs: monotonicNs,
    hand,
    log,
  });
  return { control, drain, steering: openSteering(parts, control, drain) };
}

function openSteering(
  { options, schedule, journal, counts, log }: ProcessingParts,
  control: DrainControl,
  drain: DrainHandle,
): Steering {
  const source = journal?.source;
  const due = new DueTime({
    control,
    schedule,
    drains: options.drain,
    finished: () => counts.get(COUNTER.workDone) + counts.get(COUNTER.workError),
    started: () => counts.get(COUNTER.ordersAdmitted),
    backlog: () => source?.pendingOrders() ?? 0,
    throughputOfAll: source?.throughputOfAll?.bind(source) ?? null,
    outage: () => (control.setting.pause === null ? drain.reason() : ''),
  });
  const follower = schedule && new ScheduleFollower(schedule, control, log);
  return {
    due,
    start: () => follower?.start(),
    stop: () => {
      due.close();
      follower?.stop();
    },
  };
}

/**
 * What became of an order, and how long it still takes.
 * @param journal null in direct mode, where no order is remembered
 * @throws Error the journal does not answer
 */
export async function placedReceipt(
  journal: SourceHandle | null,
  due: DueTime,
  frameId: string,
  index: number,
): Promise<PlacedReceipt> {
  const status = (await journal?.source.receipt(frameId, index)) ?? 'unknown';
  if (status !== 'accepted') return { status, ahead: null, byMs: null };
  // The status is known: it is answered, with or without a place.
  const ahead = await journal!.source.ordersAhead(frameId, index).catch(() => null);
  const byMs = ahead === null ? null : due.doneAtMs(ahead + 1);
  return { status, ahead, byMs };
}
