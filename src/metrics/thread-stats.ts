import { readlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { GAUGE, type ThreadCounts } from './count.js';

/** Resolution of the native event loop monitor: 50 wake-ups per second, without JavaScript. */
const PROBE_MS = 20;
const PUBLISH_MS = 1000;
/** How long a stall stays visible: at least as long as the usual scrape interval. */
const WINDOW_S = 15;

/**
 * Publishes statistics of the calling thread in its own gauges: once its kernel thread id, by which the main thread reads
 * its CPU time, and every second the longest event loop delay of the last 15 seconds. Does not keep the thread alive.
 *
 * @returns a function that stops it
 */
export function publishThreadStats(counts: ThreadCounts): () => void {
  counts.set(GAUGE.threadId, kernelThreadId());
  const probe = monitorEventLoopDelay({ resolution: PROBE_MS });
  const maxima: number[] = new Array(WINDOW_S).fill(0);
  let second = 0;
  const timer = setInterval(() => {
    // The monitor measures from one timer to the next, so its resolution is included.
    maxima[second % WINDOW_S] = Math.max(0, probe.max / 1e9 - PROBE_MS / 1000);
    second++;
    probe.reset();
    counts.set(GAUGE.lagSeconds, Math.max(...maxima));
  }, PUBLISH_MS);
  timer.unref();
  probe.enable();
  return () => {
    clearInterval(timer);
    probe.disable();
  };
}

/** Names the calling thread for `top -H` and others, as far as the system lets it; 15 characters are kept. */
export function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // It has the name of the process.
  }
}

/** The kernel's id of the calling thread; 0 on other systems than Linux. */
export function kernelThreadId(): number {
  try {
    return Number(basename(readlinkSync('/proc/thread-self')));
  } catch {
    return 0;
  }
}
