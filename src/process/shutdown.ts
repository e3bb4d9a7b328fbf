import { EXIT, OperatorFault } from '../model/fault.js';
import type { Log } from '../model/log.js';

/** Signals that follow each other so closely are one request, delivered more than once; milliseconds. */
const SAME_REQUEST_MS = 100;

/** One thing to be brought to rest. Must do no harm where that thing never got going. */
export interface StopStep {
  readonly what: string;
  readonly stop: () => Promise<void>;
}

/**
 * The ordered end of the process: on SIGTERM, on SIGINT, or on a fault that it cannot go on with. The
 * steps run one after the other. A second signal ends the process at once, and so does the deadline:
 * what is in the journal then is processed after the next start.
 *
 * Nothing else may call `process.exit` once intake threads run: uWebSockets.js aborts the process when
 * a thread is torn down with its sockets open.
 */
export class Shutdown {
  readonly #steps: readonly StopStep[];
  readonly #msMax: number;
  readonly #log: Log;
  readonly #flushLog: () => void;
  #step = '';
  #isServing = false;
  #signalledAtMs = Number.NEGATIVE_INFINITY;

  /** @param flushLog writes what the log still holds back */
  constructor(steps: readonly StopStep[], msMax: number, log: Log, flushLog: () => void) {
    this.#steps = steps;
    this.#msMax = msMax;
    this.#log = log;
    this.#flushLog = flushLog;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => this.#onSignal(signal));
    }
    process.on('uncaughtException', (error) => this.fail(error));
  }

  get isUnderWay(): boolean {
    return this.#step !== '';
  }

  /** The start is over: whoever types the command no longer waits for how it goes. */
  serving(): void {
    this.#isServing = true;
  }

  /** Stops because of a fault: one line where the operator can mend it, else the stack too. */
  fail(fault: unknown): void {
    if (!(fault instanceof OperatorFault)) {
      const err = fault instanceof Error ? fault : new Error(String(fault));
      this.#log('bug', 'a bug: stopping', { err });
    } else if (this.#isServing) {
      this.#log('failed', fault.message);
    } else {
      process.stderr.write(`forebay: ${fault.message}\n`);
    }
    if (!this.isUnderWay)
      void this.#run(fault instanceof OperatorFault ? fault.exitCode : EXIT.failed);
  }

  #onSignal(signal: string): void {
    // A terminal and npm both pass on one Ctrl-C.
    if (performance.now() - this.#signalledAtMs < SAME_REQUEST_MS) return;
    this.#signalledAtMs = performance.now();
    if (this.isUnderWay) {
      this.#log('stop-forced', 'told to stop again: ending at once', { signal, step: this.#step });
      this.#endAtOnce();
    }
    this.#log('stopping', 'stopping', { signal });
    void this.#run(EXIT.ok);
  }

  async #run(exitCode: number): Promise<void> {
    setTimeout(() => {
      this.#log(
        'stop-late',
        'not through within --shutdown-ms-max: ending at once; what is not settled stays in the journal',
        { step: this.#step, shutdownMsMax: this.#msMax },
      );
      this.#endAtOnce();
    }, this.#msMax);
    for (const { what, stop } of this.#steps) {
      this.#step = what;
      try {
        await stop();
      } catch (error) {
        this.#log('stop-step-failed', 'did not stop in order', { step: what, err: error as Error });
        // Of the steps after it one may fail too, and each is to be told.
        this.#flushLog();
        exitCode ||= EXIT.failed;
      }
    }
    this.#flushLog();
    // After a fault its own line is the last word.
    if (exitCode === EXIT.ok) this.#log('stopped', 'stopped');
    process.exit(exitCode);
  }

  /** As a crash would: `process.exit` would wait for threads whose handler never yields. */
  #endAtOnce(): never {
    this.#flushLog();
    process.kill(process.pid, 'SIGKILL');
    throw new Error('SIGKILL cannot be survived');
  }
}
