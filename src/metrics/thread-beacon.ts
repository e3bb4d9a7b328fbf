import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { GAUGE, type ThreadCounts } from './count.js';

/** The probe fires this often, natively, without JavaScript: 50 wake-ups a second. */
const PROBE_MS = 20;
const PUBLISH_MS = 1000;
/** How long a stall stays visible: longer than the usual pause between two scrapes. */
const WINDOW_S = 15;

/**
 * Lets the calling thread tell about itself in its own gauges: once its id in the kernel, so that
 * the main thread can look up its CPU time, and every second the longest delay that its event loop
 * had within the last 15 seconds. Does not keep the thread alive.
 *
 * @returns stops it
 */
export function publishThread(counts: ThreadCounts): () => void {
  counts.set(GAUGE.threadId, kernelThreadId());
  const probe = monitorEventLoopDelay({ resolution: PROBE_MS });
  const maxima: number[] = new Array(WINDOW_S).fill(0);
  let second = 0;
  const timer = setInterval(() => {
    // The probe measures from one firing to the next, so what it should take is in there too.
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

/** The calling thread's id as the kernel counts, or 0 where that is not Linux. */
export function kernelThreadId(): number {
  try {
    return Number(basename(readlinkSync('/proc/thread-self')));
  } catch {
    return 0;
  }
}
