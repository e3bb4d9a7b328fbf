import { type Finding, fail, ok, warn } from './finding.js';

/** A clock that stands before the first release was never set. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
/** Ids, receipts and the duplicate window bear this much. */
const APART_MS_MAX = 5000;

/** @param natsAheadMs NATS' clock less this one; null where it is not known */
export function clockFinding(nowMs: number, natsAheadMs: number | null): Finding {
  const about = 'clock';
  const now = new Date(nowMs).toISOString();
  const mend = 'set the clock, and have it kept by NTP (timedatectl set-ntp true)';
  if (nowMs < EARLIEST_MS) return fail(about, `${now}: it was never set`, mend);
  if (natsAheadMs === null) return ok(about, now);
  const apart = `${now}; that of NATS is ${Math.abs(natsAheadMs)} ms ${natsAheadMs < 0 ? 'behind' : 'ahead'}`;
  if (Math.abs(natsAheadMs) <= APART_MS_MAX) return ok(about, apart, { natsAheadMs });
  return warn(about, apart, mend, { natsAheadMs });
}
