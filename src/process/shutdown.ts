import { EXIT, OperatorFault } from '../model/fault.js';
import type { Log } from '../model/log.js';

/** Signals that follow each other so closely are one request, delivered more than once; milliseconds. */
const SAME_REQUEST_MS = 100;

/** Stops one stage. Must do no harm where that stage never got going. */
export interface StopStep {
  readonly what: string;
  readonly stop: () => Promise<void>;
}

/** The ordered shutdown: the steps run one after the other, once. */
export class Shutdown {
  readonly #steps: readonly StopStep[];
  readonly #log: Log;
  readonly #flushLog: () => void;
  #step = '';

  /** @param flushLog writes what the log still holds back */
  constructor(steps: readonly StopStep[], log: Log, flushLog: () => void) {
    this.#steps = steps;
    this.#log = log;
    this.#flushLog = flushLog;
  }

  get isUnderWay(): boolean {
    return this.#step !== '';
  }

  /** The step that runs, or the last one that ran; empty before the first. */
  get step(): string {
    return this.#step;
  }

  /**
   * A step that fails is logged, and the next one runs.
   *
   * @returns what the first failed step threw; null when all succeeded
   */
  async run(): Promise<Error | null> {
    let failure: Error | null = null;
    for (const { what, stop } of this.#steps) {
      this.#step = what;
      try {
        await stop();
      } catch (error) {
        this.#log('stop-step-failed', 'did not stop in order', { step: what, err: error as Error });
        // A later step may fail too, and each failure is logged.
        this.#flushLog();
        failure ??= error as Error;
      }
    }
    this.#flushLog();
    return failure;
  }
}

/**
 * The end of the process: an ordered shutdown on SIGTERM, on SIGINT, or on a fault that the process cannot go on
 * with. A second signal ends the process at once, and so does the deadline: what is in the journal then is
 * processed after the next start.
 *
 * Nothing else may call `process.exit` once intake threads run: uWebSockets.js aborts the process when
 * a thread is torn down with its sockets open.
 */
export class ShutdownOnSignals {
  readonly #stop: Shutdown;
  readonly #msMax: number;
  readonly #log: Log;
  readonly #flushLog: () => void;
  #isServing = false;
  #signalledAtMs = Number.NEGATIVE_INFINITY;

  /** @param flushLog writes what the log still holds back */
  constructor(stop: Shutdown, msMax: number, log: Log, flushLog: () => void) {
    this.#stop = stop;
    this.#msMax = msMax;
    this.#log = log;
    this.#flushLog = flushLog;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => this.#onSignal(signal));
    }
    process.on('uncaughtException', (error) => this.fail(error));
  }

  /** The start is over: a fault is logged from now on, no longer printed for the person who typed the command. */
  serving(): void {
    this.#isServing = true;
  }

  /** Stops because of a fault: told in one line when the operator can fix it, else with its stack. */
  fail(fault: unknown): void {
    if (!(fault instanceof OperatorFault)) {
      const err = fault instanceof Error ? fault : new Error(String(fault));
      this.#log('bug', 'a bug: stopping', { err });
    } else if (this.#isServing) {
      this.#log('failed', fault.message);
    } else {
      process.stderr.write(`forebay: ${fault.message}\n`);
    }
    if (!this.#stop.isUnderWay)
      void this.#run(fault instanceof OperatorFault ? fault.exitCode : EXIT.failed);
  }

  #onSignal(signal: string): void {
    // A terminal and npm both pass on one Ctrl-C.
    if (performance.now() - this.#signalledAtMs < SAME_REQUEST_MS) return;
    this.#signalledAtMs = performance.now();
    if (this.#stop.isUnderWay) {
      const { step } = this.#stop;
      this.#log('stop-forced', 'told to stop again: ending at once', { signal, step });
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
        { step: this.#stop.step, shutdownMsMax: this.#msMax },
      );
      this.#endAtOnce();
    }, this.#msMax);
    const failure = await this.#stop.run();
    if (failure !== null) exitCode ||= EXIT.failed;
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
