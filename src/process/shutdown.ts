import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { Log } from '../model/log.js';
import type { Redact } from '../model/redact.js';
import type { StopSignals } from '../model/stop-signals.js';
import { endAtOnce } from './end.js';
import { openFilesFault } from './open-files.js';

/** Signals within this time are one request that was delivered more than once; milliseconds. */
const SAME_REQUEST_MS = 100;

/** The name of the delay among the steps. */
const DELAY = 'delay';

/** Stops one stage. Must also work if that stage was never started. */
export interface StopStep {
  readonly what: string;
  /** @param failure what the first failed step before this one threw; null if none failed */
  readonly stop: (failure: Error | null) => Promise<void>;
}

/** The time in which load balancers learn that the server stops, before it stops. */
export interface ShutdownDelay {
  readonly ms: number;
  /** Called at its start: from then on the server is not ready, but takes orders. */
  readonly begin: () => void;
}

/** The ordered shutdown: its steps run one after another, once. */
export class Shutdown {
  readonly #steps: () => readonly StopStep[];
  readonly #log: Log;
  readonly #flushLog: () => void;
  readonly #hurry = new AbortController();
  #step = '';

  /**
   * @param steps what there is to stop when it runs
   * @param flushLog writes the log lines that are held back
   */
  constructor(steps: () => readonly StopStep[], log: Log, flushLog: () => void) {
    this.#steps = steps;
    this.#log = log;
    this.#flushLog = flushLog;
  }

  get hasStarted(): boolean {
    return this.#step !== '';
  }

  /** The step that runs, or the last one that ran; empty before the first. */
  get step(): string {
    return this.#step;
  }

  /** To be called before `run`. Resolves when the delay is over, or at once after `hurry`. */
  async delay({ ms, begin }: ShutdownDelay): Promise<void> {
    const { signal } = this.#hurry;
    if (ms === 0 || signal.aborted) return;
    this.#step = DELAY;
    this.#log('stop-delayed', '/readyz is 503, and orders are still taken', {
      shutdownDelayMs: ms,
    });
    begin();
    await sleep(ms, undefined, { signal }).catch(() => {});
  }

  get isDelayed(): boolean {
    return this.#step === DELAY && !this.#hurry.signal.aborted;
  }

  /** Ends the delay, or prevents it. */
  hurry(): void {
    this.#hurry.abort();
  }

  /**
   * A step that fails is logged, and the next one still runs.
   *
   * @returns what the first failed step threw; null when all succeeded
   */
  async run(): Promise<Error | null> {
    let failure: Error | null = null;
    for (const { what, stop } of this.#steps()) {
      this.#step = what;
      try {
        await stop(failure);
      } catch (error) {
        this.#log('stop-step-failed', 'a step of the shutdown failed', {
          step: what,
          err: error as Error,
        });
        // A later step may fail too, and the log would hold back the second line.
        this.#flushLog();
        failure ??= error as Error;
      }
    }
    this.#flushLog();
    return failure;
  }
}

/** Where a server reports. */
export interface Output {
  readonly log: Log;
  /** Writes the log lines that are held back. */
  readonly flush: () => void;
  /** For what does not go to the log. */
  readonly redact: Redact;
}

/**
 * Ends the process: by an ordered shutdown on a stop signal or on a fatal error. A second signal or the deadline
 * ends it at once; orders that are then in the journal are processed after the next start. In the delay, a second signal ends the
 * delay only.
 *
 * Nothing else may call `process.exit` while intake threads run: uWebSockets.js aborts the process when a thread ends
 * with open sockets.
 */
export class ShutdownOnSignals {
  readonly #stop: Shutdown;
  readonly #msMax: number;
  readonly #delay: ShutdownDelay;
  readonly #log: Log;
  readonly #flushLog: () => void;
  readonly #redact: Redact;
  #exitCode: number = EXIT.ok;
  #isServing = false;
  #signalledAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    signals: StopSignals,
    stop: Shutdown,
    { msMax, delay }: { readonly msMax: number; readonly delay: ShutdownDelay },
    output: Output,
  ) {
    this.#stop = stop;
    this.#msMax = msMax;
    this.#delay = delay;
    this.#log = output.log;
    this.#flushLog = output.flush;
    this.#redact = output.redact;
    signals.onStop((signal) => this.#onSignal(signal));
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => this.fail(error));
  }

  /** The start has succeeded: from now on errors go to the log instead of stderr. */
  serving(): void {
    this.#isServing = true;
  }

  /** Stops because of an error: reports one line if the operator can fix it, else the stack too. */
  fail(fault: unknown): void {
    const err = fault instanceof Error ? fault : new Error(String(fault));
    const text = err instanceof OperatorFault ? err.message : openFilesFault(err);
    if (text === null) this.#log('bug', 'unexpected error: stopping', { err });
    else if (this.#isServing) this.#log('failed', text);
    else process.stderr.write(this.#redact(`forebay: ${text}\n`));
    const { hasStarted, isDelayed } = this.#stop;
    if (hasStarted && !isDelayed) return;
    this.#exitCode = fault instanceof OperatorFault ? fault.exitCode : EXIT.failed;
    this.#stop.hurry();
    if (!hasStarted) void this.#run();
  }

  #onSignal(signal: string): void {
    // A terminal and npm both forward the same Ctrl-C.
    if (performance.now() - this.#signalledAtMs < SAME_REQUEST_MS) return;
    this.#signalledAtMs = performance.now();
    if (this.#stop.isDelayed) {
      this.#log('stop-hurried', 'second signal: the delay of the shutdown ends', { signal });
      this.#stop.hurry();
      return;
    }
    if (this.#stop.hasStarted) {
      const { step } = this.#stop;
      this.#log('stop-forced', 'second signal: ending at once', { signal, step });
      this.#endAtOnce();
    }
    this.#log('stopping', 'stopping', { signal });
    // No load balancer sends orders to a server that has not been ready.
    if (!this.#isServing) this.#stop.hurry();
    void this.#run();
  }

  async #run(): Promise<void> {
    await this.#stop.delay(this.#delay);
    setTimeout(() => {
      this.#log(
        'stop-late',
        '--shutdown-ms-max is over: ending at once; unsettled orders stay in the journal',
        { step: this.#stop.step, shutdownMsMax: this.#msMax },
      );
      this.#endAtOnce();
    }, this.#msMax);
    const failure = await this.#stop.run();
    if (failure !== null) this.#exitCode ||= EXIT.failed;
    // After an error its own line is the last one.
    if (this.#exitCode === EXIT.ok) this.#log('stopped', 'stopped');
    process.exit(this.#exitCode);
  }

  #endAtOnce(): never {
    this.#flushLog();
    endAtOnce();
  }
}
