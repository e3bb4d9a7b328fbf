/**
 * Orders that were in progress when a process died. One of them may have killed it, for example by a native crash. Each is
 * filed again as a frame of its own, runs while no other order is in progress, and becomes a dead letter when it has
 * used up its attempts that way. So an order that kills the process again does it alone.
 */
import type { Frame } from '../model/frame.js';
import type { Delivery, Refile } from '../model/journal.js';
import type { LeftNote } from '../model/left-orders.js';
import type { DeadOrder } from './failures.js';

/** What is to be done with the orders of a frame before any of them runs. The others are done. */
export interface Separation {
  /** Each suspect by itself, and the other orders together. */
  readonly refile: readonly Refile[];
  /** Orders that have used up their attempts. */
  readonly dead: readonly Killer[];
}

/** A dead letter whose order killed the process so often. */
interface Killer extends DeadOrder {
  readonly crashes: number;
}

/** Crashes of the order of a frame that can run as it is; 0 for a frame without suspects. */
export function crashesOf({ frame, left }: Pick<Delivery, 'frame' | 'left'>): number {
  return noteAt(frame, left, 0)?.crashes ?? 0;
}

/** Null if the frame can run as it is. */
export function separationOf(
  { frame, left }: Pick<Delivery, 'frame' | 'left'>,
  attemptsMax: number,
): Separation | null {
  if (left.size === 0 && frame.crashes === undefined) return null;
  const refile: Refile[] = [];
  const dead: Killer[] = [];
  const others: number[] = [];
  let done = 0;
  const { attempt } = frame;
  for (let position = 0; position < frame.count; position++) {
    const note = noteAt(frame, left, position);
    if (note === null) others.push(position);
    else if (note.crashes === 0) done++;
    else if (isUsedUp(frame, note, attemptsMax)) dead.push(killer(frame, position, note));
    else refile.push({ positions: [position], attempt, notBeforeMs: 0, crashes: note.crashes });
  }
  if (frame.count === 1 && dead.length + done === 0) return null;
  if (others.length > 0) refile.push({ positions: others, attempt, notBeforeMs: 0 });
  return { refile, dead };
}

function noteAt({ crashes = 0 }: Frame, left: Delivery['left'], position: number): LeftNote | null {
  const note = left.get(position);
  if (note !== undefined && (note.crashes === 0 || note.crashes > crashes)) return note;
  return crashes === 0 ? null : { crashes, isAlone: false };
}

/**
 * Every crash counts as an attempt. The first one proves nothing about an order that was not alone, so such an order
 * runs once more, whatever the limit.
 */
function isUsedUp(
  { attempt }: Frame,
  { crashes, isAlone }: LeftNote,
  attemptsMax: number,
): boolean {
  return attempt - 1 + crashes >= attemptsMax && (isAlone || crashes > 1);
}

function killer({ attempt }: Frame, position: number, { crashes }: LeftNote): Killer {
  const starts = crashes === 1 ? '1 start' : `${crashes} starts`;
  const reason = `the process died while its handler ran (${starts})`;
  return {
    position,
    reason,
    attempts: attempt - 1 + crashes,
    failure: { reason, shown: reason, kind: 'the process died' },
    crashes,
  };
}
