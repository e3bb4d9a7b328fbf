import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { Log } from '../../src/model/log.js';
import type { IntakeCommand, IntakeHost, IntakeReport } from './protocol.js';
import { type FindReceipt, ReceiptAnswers } from './receipt-answers.js';

/** Deaths of intake threads within `RESTART_WINDOW_MS` after which the process gives up. */
const RESTARTS_MAX = 5;
const RESTART_WINDOW_MS = 60_000;
/** Pause before the first of them is started again; it doubles with each. */
const RESTART_MS_MIN = 100;

export interface IntakeThreadsParts {
  readonly threads: number;
  /** Starts one; called again for the one that takes a dead one's place. */
  readonly open: (threadIndex: number) => IntakeHost;
  readonly log: Log;
  readonly onCommitted: () => void;
  readonly findReceipt: FindReceipt;
  readonly onRestart: () => void;
  /** The intake cannot go on. */
  readonly onFault: (fault: OperatorFault) => void;
}

interface IntakeThread {
  worker: IntakeHost;
  /** Why the journal takes no writes; empty when it does. */
  reason: string;
  hasEnded: boolean;
}

/** How often `ready` looks; milliseconds. */
const READY_POLL_MS = 5;

/** Starts the intake threads, watches over them, and stops them. */
export class IntakeThreads {
  readonly #parts: IntakeThreadsParts;
  readonly #threads: IntakeThread[] = [];
  readonly #deathsMs: number[] = [];
  #port = 0;
  #stopping = false;

  constructor(parts: IntakeThreadsParts) {
    this.#parts = parts;
  }

  /**
   * Starts all threads and has them listen on `port`, which they share, once `prepared` has resolved.
   *
   * @throws OperatorFault when one cannot start
   */
  async start(port: number, prepared: Promise<void>): Promise<void> {
    const opened: Promise<void>[] = [prepared];
    for (let i = 0; i < this.#parts.threads; i++) opened.push(this.#open(i));
    await Promise.all(opened);
    await Promise.all(this.#threads.map((_, index) => this.#listen(index, port)));
    this.#port = port;
  }

  /** Why the intake cannot take orders, a line each; empty when it can. */
  reasons(): string[] {
    if (this.#port === 0) return ['intake does not listen yet'];
    if (this.#stopping) return ['shutting down'];
    return [...new Set(this.#threads.map((thread) => thread.reason))].filter(Boolean);
  }

  /** Resolves when all threads listen and their journals take writes. */
  async ready(): Promise<void> {
    while (this.reasons().length > 0 && !this.#stopping) {
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  /** Resolves when every accepted order has its answer and all threads have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      this.#threads.map(async ({ worker, hasEnded }) => {
        if (hasEnded) return;
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        worker.postMessage({ do: 'stop' } satisfies IntakeCommand);
        await ended;
      }),
    );
  }

  #open(index: number): Promise<void> {
    const worker = this.#parts.open(index);
    const thread: IntakeThread = { worker, reason: 'the journal is not open yet', hasEnded: false };
    this.#threads[index] = thread;
    const receipts = new ReceiptAnswers(this.#parts.findReceipt, (answers) =>
      worker.postMessage({ do: 'receipts', answers } satisfies IntakeCommand),
    );
    worker.on('message', (report: IntakeReport) => {
      if (report.is === 'committed') this.#parts.onCommitted();
      else if (report.is === 'receipts') receipts.answer(report.questions);
      else if (report.is === 'journal') thread.reason = report.reason;
    });
    worker.on('error', (error) =>
      this.#parts.log('intake-thread-failed', 'intake thread failed', {
        thread: index,
        err: error,
      }),
    );
    worker.on('exit', (code) => {
      thread.hasEnded = true;
      this.#onExit(index, code);
    });
    return awaitReport(worker, 'open').then(() => {});
  }

  async #listen(index: number, port: number): Promise<void> {
    const { worker } = this.#threads[index]!;
    const listening = awaitReport(worker, 'listening');
    worker.postMessage({ do: 'listen', port } satisfies IntakeCommand);
    await listening;
  }

  #onExit(index: number, code: number): void {
    // Before it ever listened, whoever awaits its start hears of it.
    if (this.#stopping || this.#port === 0) return;
    const nowMs = performance.now();
    this.#deathsMs.push(nowMs);
    while (this.#deathsMs[0]! < nowMs - RESTART_WINDOW_MS) this.#deathsMs.shift();
    if (this.#deathsMs.length > RESTARTS_MAX) {
      const deaths = `intake threads died ${this.#deathsMs.length} times within a minute`;
      this.#parts.onFault(new OperatorFault(`${deaths}: see the log for why`, EXIT.failed));
      return;
    }
    this.#parts.log('intake-thread-restarted', 'intake thread ended; starting it again', {
      thread: index,
      code,
    });
    this.#parts.onRestart();
    this.#threads[index]!.reason = 'an intake thread is being started again';
    const pauseMs = RESTART_MS_MIN * 2 ** (this.#deathsMs.length - 1);
    setTimeout(() => void this.#startAgain(index), pauseMs);
  }

  async #startAgain(index: number): Promise<void> {
    if (this.#stopping) return;
    try {
      await this.#open(index);
      await this.#listen(index, this.#port);
    } catch (error) {
      if (this.#stopping) return;
      const { message } = error as Error;
      this.#parts.log('intake-thread-lost', `intake thread did not start again: ${message}`, {
        thread: index,
      });
    }
  }
}

/** Resolves with the next report of this kind; rejects with the thread's fault, or when it ends. */
function awaitReport<Kind extends IntakeReport['is']>(
  worker: IntakeHost,
  kind: Kind,
): Promise<Extract<IntakeReport, { is: Kind }>> {
  return new Promise((resolve, reject) => {
    const done = () => {
      worker.off('message', onMessage);
      worker.off('exit', onExit);
    };
    const onMessage = (report: IntakeReport) => {
      if (report.is === kind) {
        done();
        resolve(report as Extract<IntakeReport, { is: Kind }>);
      } else if (report.is === 'fault') {
        done();
        reject(new OperatorFault(report.message, report.exitCode));
      }
    };
    const onExit = (code: number) => {
      done();
      reject(new Error(`an intake thread ended with code ${code} before it was ${kind}`));
    };
    worker.on('message', onMessage);
    worker.on('exit', onExit);
  });
}
