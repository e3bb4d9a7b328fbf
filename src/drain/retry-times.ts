import { type BackoffBounds, backoffMs } from '../model/backoff.js';
import type { Refile } from '../model/journal.js';
import type { FailedOrder } from './frame-run.js';

/** Each wait needs a frame of its own. If a frame has more different ones, those that are near are made the same. */
const WAITS_MAX = 8;
/** Then waits that differ by less than this factor become the longer one. */
const STEP = 1.1;
const WAIT_MS_MIN = 10;

/** Files orders of one frame for their next attempt: those with the same time together. */
export function refileGroups(
  failed: readonly FailedOrder[],
  attempt: number,
  crashes: number | undefined,
  bounds: BackoffBounds,
): Refile[] {
  if (failed.length === 0) return [];
  const nowMs = Date.now();
  // Those without a wait of their own share one, with its jitter.
  const usualMs = backoffMs(attempt, bounds);
  const waits = failed.map(({ failure }) => {
    const askedMs = 'retryAfterMs' in failure ? failure.retryAfterMs : null;
    return askedMs === null ? usualMs : Math.min(askedMs, bounds.retryMsMax);
  });
  const isMany = new Set(waits).size > WAITS_MAX;
  const groups = new Map<number, number[]>();
  for (const [i, { position }] of failed.entries()) {
    const waitMs = isMany ? steppedMs(waits[i]!) : waits[i]!;
    const group = groups.get(waitMs);
    if (group === undefined) groups.set(waitMs, [position]);
    else group.push(position);
  }
  return [...groups].map(([waitMs, positions]) => ({
    positions,
    attempt: attempt + 1,
    notBeforeMs: nowMs + waitMs,
    crashes,
  }));
}

/** The next step that is no shorter. */
function steppedMs(ms: number): number {
  if (ms <= WAIT_MS_MIN) return WAIT_MS_MIN;
  const steps = Math.ceil(Math.log(ms / WAIT_MS_MIN) / Math.log(STEP) - 1e-9);
  return Math.ceil(WAIT_MS_MIN * STEP ** steps);
}
