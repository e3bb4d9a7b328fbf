import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { DrainChange, DrainInstance, DrainSetting } from '../../src/model/drain-control.js';
import type { Log, LogFields } from '../../src/model/log.js';
import type {
  DrainCommand,
  DrainReport,
  DrainService,
  DrainState,
  DrainThreadData,
} from './protocol.js';
import { receivedError } from './sent-error.js';

const ENTRY = fileURLToPath(new URL('./thread.js', import.meta.url));

/** Young generation of the thread, as of an intake thread: what it makes dies young. */
const YOUNG_GENERATION_MB = 12;

/** How long an answer of the admin server waits for the state of now. After that it shows the one before. */
const STATE_MS_MAX = 500;

export interface DrainThreadParts {
  readonly log: Log;
  /** Resolves when the data folder, which exists then, belongs to this process. */
  readonly claimFolder: () => Promise<void>;
  /** The thread cannot go on, or has a bug: the server must be stopped. */
  readonly onFault: (fault: Error) => void;
}

interface Asked {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's end of the drain thread, which reads the journal and has the orders processed. */
export class DrainThread {
  readonly #parts: DrainThreadParts;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #asked = new Map<number, Asked>();
  #calls = 0;
  /** Why it ended; null while it runs. */
  #endedBy: Error | null = null;
  #isEnding = false;
  #state: DrainState | null = null;
  #isAsking = false;
  /** Those who wait for the answer to the next question for the state: one is under way at a time. */
  #curious = new Set<() => void>();

  /** Starts the thread, which opens nothing before `open`. */
  constructor(data: DrainThreadData, parts: DrainThreadParts) {
    this.#parts = parts;
    this.#worker = new Worker(ENTRY, {
      name: 'drain',
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', (report: DrainReport) => this.#onReport(report));
    this.#worker.on('error', (error: Error) => {
      this.#endedBy = error;
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#onExit(code);
        resolve();
      });
    });
  }

  /**
   * Opens the journal and the pool.
   * @throws OperatorFault it cannot; the thread has ended then
   */
  async open(): Promise<void> {
    try {
      this.#state = await this.call('open');
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  /** As of the last `refresh` or `change`. Only after `open`. */
  get state(): DrainState {
    return this.#state!;
  }

  get setting(): DrainSetting {
    return this.state.setting;
  }

  instances(): readonly DrainInstance[] {
    return this.state.instances;
  }

  /** Brings `state` up to date, unless the thread takes too long or has ended. */
  refresh(): Promise<void> {
    // Not the answer that is under way: it can be older than what the caller has seen.
    const curious = this.#curious;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(patience);
        curious.delete(done);
        resolve();
      };
      const patience = setTimeout(done, STATE_MS_MAX).unref();
      curious.add(done);
      if (!this.#isAsking) void this.#ask();
    });
  }

  /** Asks until nobody waits. */
  async #ask(): Promise<void> {
    this.#isAsking = true;
    // Those who come in the same turn share a question.
    await Promise.resolve();
    while (this.#curious.size > 0) {
      const curious = this.#curious;
      this.#curious = new Set();
      try {
        this.#state = await this.call('state');
      } catch {
        // It has ended: the state stays as it was.
      }
      for (const done of curious) done();
    }
    this.#isAsking = false;
  }

  /** @throws Error it is not valid or cannot be kept; the message is one line */
  async change(change: DrainChange): Promise<DrainSetting> {
    this.#state = await this.call('change', change);
    return this.setting;
  }

  /**
   * @param isDirect orders come through the port, and go to the pool
   * @returns the port for an intake thread
   */
  intakePort(isDirect: boolean): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#post({ type: 'intake', port: port1, isDirect }, [port1]);
    return port2;
  }

  /** Carries out a step of the shutdown. Does nothing if the thread has ended: the journal has its orders. */
  async stop(step: 'stopDrain' | 'closeJournal' | 'destroyPool'): Promise<void> {
    if (this.#endedBy === null) await this.call(step);
  }

  /** After the steps of the shutdown, if it was opened. Resolves when the thread has ended. */
  async end(): Promise<void> {
    if (this.#endedBy !== null) return;
    if (this.#state === null) return this.#abandon();
    this.#isEnding = true;
    this.#worker.ref();
    await this.call('end');
    await this.#ended;
  }

  /** From now on the thread does not keep the process alive. */
  unref(): void {
    this.#worker.unref();
  }

  /** @throws Error what the call throws in the thread, or why the thread has ended */
  call<Name extends keyof DrainService>(
    call: Name,
    ...[given]: Parameters<DrainService[Name]>
  ): ReturnType<DrainService[Name]> {
    const answer = new Promise((resolve, reject) => {
      if (this.#endedBy !== null) {
        reject(this.#endedBy);
        return;
      }
      const id = this.#calls++;
      this.#asked.set(id, { resolve, reject });
      this.#post({ type: 'call', id, call, given });
    });
    return answer as ReturnType<DrainService[Name]>;
  }

  #post(command: DrainCommand, transferList: MessagePort[] = []): void {
    this.#worker.postMessage(command, transferList);
  }

  #onReport(report: DrainReport): void {
    if (report.type === 'log') this.#log(report);
    else if (report.type === 'folder') void this.#claimFolder();
    else if (report.type === 'bug') this.#onFault(receivedError(report.error));
    else {
      const asked = this.#asked.get(report.id);
      this.#asked.delete(report.id);
      // Undefined if the call has failed before, by a bug.
      if (report.type === 'answer') asked?.resolve(report.value as never);
      else asked?.reject(receivedError(report.error));
    }
  }

  #log({ event, message, fields }: Extract<DrainReport, { type: 'log' }>): void {
    const received = Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'object' ? receivedError(value) : value,
    ]);
    this.#parts.log(event, message, Object.fromEntries(received) as LogFields);
  }

  /** If it cannot be claimed, that is why the thread cannot open the journal. */
  async #claimFolder(): Promise<void> {
    try {
      await this.#parts.claimFolder();
      this.#post({ type: 'claimed' });
    } catch (error) {
      this.#reject(error as Error);
    }
  }

  #reject(error: Error): void {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(error);
  }

  /** Not by `terminate`: a thread that is ended while it loads a native module can take the process down. */
  async #abandon(): Promise<void> {
    this.#isEnding = true;
    this.#post({ type: 'abandon' });
    await this.#ended;
  }

  #onExit(code: number): void {
    this.#endedBy ??= new Error(`the drain thread ended with code ${code}`);
    if (!this.#isEnding) this.#onFault(this.#endedBy);
    this.#reject(this.#endedBy);
  }

  #onFault(fault: Error): void {
    // Nobody can stop what `open` has not returned.
    if (this.#state === null) this.#reject(fault);
    else this.#parts.onFault(fault);
  }
}
