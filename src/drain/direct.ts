import type { MessagePort } from 'node:worker_threads';
import { COUNTER, HISTOGRAM, type ThreadCounts } from '../metrics/count.js';
import type { Frame } from '../model/frame.js';
import { VERDICT } from '../model/journal.js';
import {
  type DirectReply,
  type DirectRequest,
  OUTCOME_NOT_RUN,
  OUTCOME_UNKNOWN,
} from '../model/pool-messages.js';
import type { FailureReport } from './failures.js';
import { FrameRun } from './frame-run.js';
import type { Scheduler } from './scheduler.js';

/**
 * The drain thread's end of direct mode. Frames arrive from the intake threads through ports, the pool processes them, and
 * a verdict for each order goes back. There is no journal, so a failed order is not retried: its client gets an error and
 * can retry. If a pool thread dies, it is unknown whether its order was processed, so the client gets no answer.
 */
export class DirectService {
  readonly #scheduler: Scheduler;
  readonly #counts: ThreadCounts;
  readonly #failures: FailureReport;
  readonly #waitMsMax: number;

  /**
   * Orders that have not started half of `commitMsMax` after their frame was opened are refused, so that their clients get
   * 503 while they still wait. A pool that processes orders no client waits for never catches up. The time that
   * the frame spent in the intake thread counts too.
   */
  constructor(
    scheduler: Scheduler,
    counts: ThreadCounts,
    failures: FailureReport,
    commitMsMax: number,
  ) {
    this.#scheduler = scheduler;
    this.#counts = counts;
    this.#failures = failures;
    this.#waitMsMax = commitMsMax / 2;
  }

  serve(port: MessagePort): void {
    port.on('message', (request: DirectRequest) => {
      const frame: Frame = { ...request, attempt: 1, notBeforeMs: 0, refiled: null, keys: [] };
      const reply = (run: FrameRun) => this.#reply(port, request.sequence, run);
      // By the wall clock, the only one that both threads share. If it was set back, it must not extend the time.
      const ageMs = Math.max(0, Date.now() - request.acceptedAtMs);
      const expiresMs = performance.now() + this.#waitMsMax - ageMs;
      this.#scheduler.add(new FrameRun(frame, reply, { expiresMs }));
    });
  }

  #reply(port: MessagePort, sequence: number, run: FrameRun): void {
    const { count, acceptedAtMs } = run.frame;
    const done = count - run.failed.length;
    this.#counts.add(COUNTER.workDone, done);
    const failed = run.failed.filter(({ outcome }) => outcome !== OUTCOME_NOT_RUN);
    this.#counts.add(COUNTER.workError, failed.length);
    this.#failures.refused(failed.map(({ failure }) => failure));
    const ageSeconds = Math.max(0, Date.now() - acceptedAtMs) / 1000;
    if (done > 0) this.#counts.observe(HISTOGRAM.orderAgeSeconds, ageSeconds, done);
    port.postMessage({ sequence, verdicts: verdictsOf(run) } satisfies DirectReply);
  }
}

function verdictsOf(run: FrameRun): Uint8Array | null {
  if (run.failed.length === 0) return null;
  const verdicts = new Uint8Array(run.frame.count).fill(VERDICT.accepted);
  for (const { position, outcome } of run.failed) {
    verdicts[position] = outcome === OUTCOME_UNKNOWN ? VERDICT.unknown : VERDICT.refused;
  }
  return verdicts;
}
