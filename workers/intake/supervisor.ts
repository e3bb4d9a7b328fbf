import { Worker } from 'node:worker_threads';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { OrdersAddress } from '../../src/model/listen.js';
import type { Log } from '../../src/model/log.js';
import type { SendersData } from '../../src/model/senders.js';
import type { TlsMaterial } from '../../src/model/tls.js';
import type { IntakeCommand, IntakeReport, IntakeThread, IntakeThreadData } from './protocol.js';

/**
 * Young generation of an intake thread: three semi-spaces of 4 MB instead of the default 16 MB. Objects of a request die
 * young with either size, and under load every thread fills all the memory that it may use.
 */
const YOUNG_GENERATION_MB = 12;

/** The process gives up after more intake threads than this have died within `RESTART_WINDOW_MS`. */
const RESTARTS_MAX = 5;
const RESTART_WINDOW_MS = 60_000;
/** Pause before the first restart; it doubles with each further one in the window. */
const RESTART_MS_MIN = 100;
/** Interval at which `ready` checks the threads. */
const READY_POLL_MS = 5;

/** Starts the intake in a worker thread. @param entry file name of the compiled thread entry */
export function startIntakeWorker(
  entry: string,
  index: number,
  data: IntakeThreadData,
): IntakeThread {
  return new Worker(entry, {
    name: `intake-${index}`,
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    transferList: [data.drainPort, ...(data.directPort === null ? [] : [data.directPort])],
  });
}

export interface IntakeSupervisorParts {
  readonly threads: number;
  /** Starts a thread; called again for the replacement of a thread that died. */
  readonly startThread: (threadIndex: number) => IntakeThread;
  readonly log: Log;
  readonly onRestart: () => void;
  /** The intake cannot continue. */
  readonly onFault: (fault: OperatorFault) => void;
}

interface Supervised {
  readonly thread: IntakeThread;
  /** Why the journal does not accept writes; empty if it does. */
  reason: string;
  /** Why orders go to the spool; empty if they do not. */
  spoolReason: string;
  hasEnded: boolean;
}

/** Starts the intake threads, replaces those that die, and stops them. */
export class IntakeSupervisor {
  readonly #parts: IntakeSupervisorParts;
  readonly #supervised: Supervised[] = [];
  readonly #deathsMs: number[] = [];
  /** Null until all threads listen. */
  #at: OrdersAddress | null = null;
  #isStarted = false;
  #leaving = false;
  #stopping = false;

  constructor(parts: IntakeSupervisorParts) {
    this.#parts = parts;
  }

  /** Starts all threads. They load their code, and open nothing before `start`. */
  load(): void {
    for (let i = 0; i < this.#parts.threads; i++) this.#startThread(i);
  }

  /** Ends the threads if `start` was never called: they have opened nothing. */
  async abandon(): Promise<void> {
    if (!this.#isStarted) await this.#end();
  }

  /**
   * To be called when the journal is open. The threads listen on `at`, which they share, once `prepared` has resolved.
   *
   * @throws OperatorFault a thread cannot start
   */
  async start(at: OrdersAddress, prepared: Promise<void>): Promise<void> {
    this.#isStarted = true;
    await Promise.all([prepared, ...this.#supervised.map((supervised) => opened(supervised))]);
    await Promise.all(this.#supervised.map((_, index) => this.#listen(index, at)));
    this.#at = at;
  }

  /** Why the intake cannot take orders, one line per reason; empty if it can. */
  reasons(): string[] {
    if (this.#at === null) return ['intake does not listen yet'];
    if (this.#leaving) return ['shutting down'];
    return [...new Set(this.#supervised.map(({ reason }) => reason))].filter(Boolean);
  }

  /** Why orders go to the spool, in some of the threads or all. */
  spoolReasons(): string[] {
    const reasons = new Set(this.#supervised.map(({ spoolReason }) => spoolReason));
    return [...reasons].filter(Boolean).map((reason) => `orders go to the spool: ${reason}`);
  }

  /** Resolves when all threads listen and their journals accept writes. */
  async ready(): Promise<void> {
    while (this.reasons().length > 0 && !this.#stopping) {
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  /**
   * Gives new connections of all threads this certificate.
   * @returns empty once they get it; else why a thread cannot use it
   */
  async renewTls(tls: TlsMaterial): Promise<string> {
    const answers = await this.#askAll({ type: 'tls', tls }, 'tls');
    return answers.find(({ why }) => why !== '')?.why ?? '';
  }

  /** Resolves when all threads use them. Calls must not overlap. */
  async renewSenders(senders: SendersData): Promise<void> {
    await this.#askAll({ type: 'senders', senders }, 'senders');
  }

  /** The answers of all threads. One that ends instead has none: it is started again with the data of that time. */
  async #askAll<Type extends IntakeReport['type']>(
    command: IntakeCommand,
    answerType: Type,
  ): Promise<Extract<IntakeReport, { type: Type }>[]> {
    const asked = this.#supervised
      .filter(({ hasEnded }) => !hasEnded)
      .map(({ thread }) => {
        const answer = nextReport(thread, answerType);
        thread.postMessage(command);
        return answer.catch(() => null);
      });
    return (await Promise.all(asked)).filter((answer) => answer !== null);
  }

  /** From now on the server is not ready, and each answer asks its client to close the connection. Orders are still taken. */
  leave(): void {
    this.#leaving = true;
    for (const { thread } of this.#supervised) thread.postMessage({ type: 'endConnections' });
  }

  /**
   * Closes the listeners one after another, so that as long as possible there is one for new connections. Resolves when every
   * accepted order has been answered and all threads have ended.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (!this.#isStarted) return this.#end();
    this.leave();
    for (const { thread, hasEnded } of this.#supervised) {
      if (hasEnded) continue;
      const deaf = nextReport(thread, 'deaf');
      thread.postMessage({ type: 'stopListening' });
      await deaf.catch(() => {});
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    await Promise.all(
      this.#supervised.map(async ({ thread, hasEnded }) => {
        if (hasEnded) return;
        const ended = new Promise((resolve) => thread.once('exit', resolve));
        thread.postMessage({ type: 'stop' });
        await ended;
      }),
    );
  }

  #startThread(index: number): Supervised {
    const thread = this.#parts.startThread(index);
    const supervised: Supervised = {
      thread,
      reason: 'the journal is not open yet',
      spoolReason: '',
      hasEnded: false,
    };
    this.#supervised[index] = supervised;
    thread.on('message', (report: IntakeReport) => {
      if (report.type === 'journal') Object.assign(supervised, reasonsIn(report));
      else if (report.type === 'refused') this.#logRefused(report);
    });
    thread.on('error', (error) =>
      this.#parts.log('intake-thread-failed', 'intake thread failed', {
        thread: index,
        err: error,
      }),
    );
    thread.on('exit', (code) => {
      supervised.hasEnded = true;
      this.#onExit(index, code);
    });
    return supervised;
  }

  #logRefused({ limit, open }: Extract<IntakeReport, { type: 'refused' }>): void {
    const option = limit === 'all' ? '--connections-max' : '--connections-per-address-max';
    this.#parts.log('connections-refused', `connections are refused: ${option} is reached`, {
      open,
    });
  }

  async #listen(index: number, at: OrdersAddress): Promise<void> {
    const { thread } = this.#supervised[index]!;
    const listening = nextReport(thread, 'listening');
    thread.postMessage({ type: 'listen', at });
    if (this.#leaving) thread.postMessage({ type: 'endConnections' });
    await listening;
  }

  #onExit(index: number, code: number): void {
    // Before the first listen, `start` rejects instead.
    if (this.#stopping || this.#at === null) return;
    const nowMs = performance.now();
    this.#deathsMs.push(nowMs);
    while (this.#deathsMs[0]! < nowMs - RESTART_WINDOW_MS) this.#deathsMs.shift();
    if (this.#deathsMs.length > RESTARTS_MAX) {
      const deaths = `intake threads died ${this.#deathsMs.length} times within a minute`;
      this.#parts.onFault(new OperatorFault(`${deaths}; the log has the causes`, EXIT.failed));
      return;
    }
    this.#parts.log('intake-thread-restarted', 'intake thread ended; restarting it', {
      thread: index,
      code,
    });
    this.#parts.onRestart();
    this.#supervised[index]!.reason = 'an intake thread is restarting';
    const pauseMs = RESTART_MS_MIN * 2 ** (this.#deathsMs.length - 1);
    const at = this.#at;
    setTimeout(() => void this.#restart(index, at), pauseMs);
  }

  async #restart(index: number, at: OrdersAddress): Promise<void> {
    if (this.#stopping) return;
    try {
      await opened(this.#startThread(index));
      await this.#listen(index, at);
    } catch (error) {
      if (this.#stopping) return;
      const { message } = error as Error;
      this.#parts.log('intake-thread-lost', `intake thread did not restart: ${message}`, {
        thread: index,
      });
    }
  }
}

/** Has a thread open its end of the journal, and all else but its listener. @throws OperatorFault it cannot */
async function opened({ thread, hasEnded }: Supervised): Promise<void> {
  if (hasEnded) throw new Error('an intake thread ended before it was started');
  const started = nextReport(thread, 'started');
  thread.postMessage({ type: 'open' });
  await started;
}

/** Resolves with the next report of this type; rejects with the thread's fault, or when the thread ends. */
function nextReport<Type extends IntakeReport['type']>(
  thread: IntakeThread,
  type: Type,
): Promise<Extract<IntakeReport, { type: Type }>> {
  return new Promise((resolve, reject) => {
    const done = () => {
      thread.off('message', onMessage);
      thread.off('exit', onExit);
    };
    const onMessage = (report: IntakeReport) => {
      if (report.type === type) {
        done();
        resolve(report as Extract<IntakeReport, { type: Type }>);
      } else if (report.type === 'fault') {
        done();
        reject(new OperatorFault(report.message, report.exitCode));
      }
    };
    const onExit = (code: number) => {
      done();
      reject(new Error(`an intake thread ended with code ${code} before it was ${type}`));
    };
    thread.on('message', onMessage);
    thread.on('exit', onExit);
  });
}

function reasonsIn({ reason, spoolReason }: Extract<IntakeReport, { type: 'journal' }>) {
  return { reason, spoolReason };
}
