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
import { FrameRun } from './frame-run.js';
import type { Scheduler } from './scheduler.js';

/**
 * The main thread's side of direct mode: the frames that intake threads send come in by their ports,
 * the pool processes them, and each order's verdict goes back. There is no journal, so an order that
 * fails is not tried again: its client is told, and may. Of one over which a pool thread died nobody knows whether it
 * was processed, so its client gets no answer.
 */
export class DirectService {
  readonly #scheduler: Scheduler;
  readonly #counts: ThreadCounts;
  readonly #waitMsMax: number;

  /**
   * What was not begun half of `commitMsMax` after its frame was opened is given up, so that its clients hear 503 while
   * they still wait: a pool that works through what nobody waits for never catches up. The wait in the
   * intake thread counts, for to a client it is all one.
   */
  constructor(scheduler: Scheduler, counts: ThreadCounts, commitMsMax: number) {
    this.#scheduler = scheduler;
    this.#counts = counts;
    this.#waitMsMax = commitMsMax / 2;
  }

  serve(port: MessagePort): void {
    port.on('message', (request: DirectRequest) => {
      const frame: Frame = { ...request, attempt: 1, notBeforeMs: 0, refiled: null, keys: [] };
      const reply = (run: FrameRun) => this.#reply(port, request.sequence, run);
      // By the system's clock, the only one that both threads have; set back, it must not give more time.
      const ageMs = Math.max(0, Date.now() - request.acceptedAtMs);
      const giveUpMs = performance.now() + this.#waitMsMax - ageMs;
      this.#scheduler.add(new FrameRun(frame, reply, { giveUpMs }));
    });
  }

  #reply(port: MessagePort, sequence: number, run: FrameRun): void {
    const { count, acceptedAtMs } = run.frame;
    const done = count - run.failed.length;
    this.#counts.add(COUNTER.workDone, done);
    const failed = run.failed.filter(({ outcome }) => outcome !== OUTCOME_NOT_RUN);
    this.#counts.add(COUNTER.workError, failed.length);
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
