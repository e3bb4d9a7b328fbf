/** What leaves the log although it is not settled: so memory, disk space, and the time of a start are bounded. */
import type { LiveSegment } from './live-segment.js';
import { SEGMENT_BYTES } from './segment-files.js';

/** Each takes about 300 bytes of memory. */
const FRAMES_MAX = 64 * 1024;
/** Segments with frames that wait: a start reads them. Less than `SEGMENTS_MAX`, so that appenders find one. */
const LIVE_SEGMENTS_MAX = 256;
/**
 * Frames that wait for longer are moved. So receipts that a start needs, to know what is settled, are kept for that
 * long at least, and no longer.
 */
const AGE_MS_MAX = 10 * 60 * 1000;
/** A segment of which less is needed is not worth its space on the disk. */
const NEEDED_BYTES_MIN = SEGMENT_BYTES / 4;
/** Before that is judged: most frames are settled within seconds. */
const SETTLING_MS = 5000;

/** `stop` leaves few segments to the next start; `all` is all that is not claimed. */
export type TidyScope = 'due' | 'stop' | 'all';

/**
 * The segment from which something should leave next; null when there is none.
 * @param frames waiting in all segments
 */
export function dueSegment(
  all: readonly LiveSegment[],
  frames: number,
  scope: TidyScope,
): LiveSegment | null {
  const nowTickMs = performance.now();
  const done = all.find((live) => live.isRead && live.waiting === 0);
  if (done !== undefined) return done;
  const canLeave = (live: LiveSegment) => live.step(1) !== null;
  const due = all.find(
    (live) => (scope === 'all' || isDue(live, nowTickMs, scope)) && canLeave(live),
  );
  if (due !== undefined) return due;
  const full = all.reduce((sum, { isRead }) => (isRead ? sum + 1 : sum), 0);
  if (frames <= FRAMES_MAX && full <= LIVE_SEGMENTS_MAX) return null;
  return all
    .filter(canLeave)
    .reduce<LiveSegment | null>(
      (oldest, live) => (oldest === null || live.idMin < oldest.idMin ? live : oldest),
      null,
    );
}

function isDue(live: LiveSegment, nowTickMs: number, scope: TidyScope): boolean {
  if (live.leaveUpTo > live.keptPosition) return true;
  if (nowTickMs - live.sinceTickMs > AGE_MS_MAX) return true;
  const isSparse = live.isRead && live.waitingBytes < NEEDED_BYTES_MIN;
  return isSparse && (scope === 'stop' || nowTickMs - live.readTickMs > SETTLING_MS);
}
