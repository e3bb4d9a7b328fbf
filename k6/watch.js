import { sleep } from 'k6';
import { watchPeakRate } from './lib/limits.js';
import { recordBacklog, recordGrowth, recordPeak, recordReading } from './measures.js';
import { poll } from './server.js';

/** Five readings span a little less than a second, although each takes some milliseconds. */
export const POLL_S = 0.24;

/**
 * Reads the server's counters all through a run, and until the last order is processed or
 * `settleS` have passed since the last one was sent.
 *
 * @param {{ adminUrl: string, adminToken: string }} settings
 * @param {{ before: object, startMs: number, durationS: number }} run
 * @param {number} settleS
 */
export function watchServer(settings, run, settleS) {
  const { add, peak } = watchPeakRate();
  const resident = [];
  for (;;) {
    const now = poll(settings);
    recordReading();
    recordBacklog(now.pendingOrders);
    add({ atS: now.uptimeS, count: now.admittedOrders });
    const elapsedS = (Date.now() - run.startMs) / 1000;
    if (elapsedS <= run.durationS) resident.push(now.residentBytes);
    else if (isSettled(now, run) || elapsedS > run.durationS + settleS) break;
    sleep(POLL_S);
  }
  recordPeak(peak.perSecond);
  recordGrowth(resident);
}

/** Whether nothing is pending and all that was accepted since the start has been processed. */
export function isSettled(now, { before }) {
  const done = now.doneOrders - before.doneOrders;
  return now.pendingOrders === 0 && done === now.created - before.created;
}
