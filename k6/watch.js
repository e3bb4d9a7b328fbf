import { sleep } from 'k6';
import { recordBacklog, recordGrowth, recordWindow } from './measures.js';
import { poll } from './server.js';

/** Three polls span 0.9 s: the widest window that surely stays within a second. */
export const POLL_S = 0.3;
const WINDOW_MS_MAX = 1000;

/**
 * Looks at the server's counters all through a run, and until the last order is processed or
 * `settleS` have passed since the last one was sent.
 *
 * @param {string} adminUrl
 * @param {{ before: object, startMs: number, durationS: number }} run
 * @param {number} settleS
 */
export function watchServer(adminUrl, run, settleS) {
  const recent = [];
  const resident = [];
  for (;;) {
    const now = poll(adminUrl);
    recordBacklog(now.pendingOrders);
    recent.push(now);
    while (recent.length > 0 && now.receivedMs - recent[0].sentMs > WINDOW_MS_MAX) recent.shift();
    if (recent.length > 1) recordWindow(recent[0], now);
    const elapsedS = (now.receivedMs - run.startMs) / 1000;
    if (elapsedS <= run.durationS) resident.push(now.residentBytes);
    else if (isSettled(now, run) || elapsedS > run.durationS + settleS) break;
    sleep(POLL_S);
  }
  recordGrowth(resident);
}

/** Whether nothing waits and what was accepted since the start has been processed. */
export function isSettled(now, { before }) {
  const done = now.doneOrders - before.doneOrders;
  return now.pendingOrders === 0 && done === now.created - before.created;
}
