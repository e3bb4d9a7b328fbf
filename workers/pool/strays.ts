/**
 * Errors of a handler that no call returns: a promise left behind that rejects later, or an exception in a callback.
 * Without this, each would end the thread, and the call that happens to run at that moment would be blamed.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { parentPort } from 'node:worker_threads';
import type { StrayErrors } from '../../src/model/pool-messages.js';
import { cutError, placeOf } from './thrown.js';

/** Time between two messages to the drain thread: a handler can leave thousands of promises behind. */
const REPORT_MS_MIN = 1000;

/** What ends the thread. */
class Blamed {
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }
}

/**
 * Knows which call made a promise or a timer: the context of a call goes along with everything it starts. If that call
 * still runs, the thread ends, and the runner finds the order that is to blame. If it has returned, or if it is
 * unknown, no order is blamed: the error is reported, and the thread goes on.
 */
export class Strays {
  readonly #calls = new AsyncLocalStorage<number>();
  #running: number | null = null;
  #loads = 0;
  #errors = 0;
  #first = '';
  #timer: NodeJS.Timeout | null = null;

  listen(): void {
    process.on('unhandledRejection', (reason) => {
      if (hasOwnListener('unhandledRejection')) return;
      this.#take(reason);
    });
    process.on('uncaughtException', (error: unknown) => {
      // An exception in a listener of this event ends the thread with that exception.
      if (error instanceof Blamed) throw error.error;
      if (hasOwnListener('uncaughtException')) return;
      try {
        this.#take(error);
      } catch (blamed) {
        throw (blamed as Blamed).error;
      }
    });
  }

  /** Runs one call of the handler. One call runs at a time. */
  async within<T>(call: number, handle: () => T | Promise<T>): Promise<T> {
    this.#running = call;
    try {
      return await this.#calls.run(call, handle);
    } finally {
      this.#running = null;
    }
  }

  /** While the handler is loaded, every such error ends the thread: it may be why the load never ends. */
  async whileLoading<T>(load: () => Promise<T>): Promise<T> {
    this.#loads++;
    try {
      return await load();
    } finally {
      this.#loads--;
    }
  }

  /** @throws Blamed the load or call that runs is to blame */
  #take(thrown: unknown): void {
    const call = this.#calls.getStore();
    const isOfRunning = call !== undefined && call === this.#running;
    if (isOfRunning || (call === undefined && this.#loads > 0)) throw new Blamed(cutError(thrown));
    if (this.#errors === 0) this.#first = placeOf(thrown);
    this.#errors++;
    this.#timer ??= setTimeout(this.#report, 0);
  }

  readonly #report = (): void => {
    if (this.#errors === 0) {
      this.#timer = null;
      return;
    }
    parentPort!.postMessage({ strayErrors: this.#errors, how: this.#first } satisfies StrayErrors);
    this.#errors = 0;
    this.#timer = setTimeout(this.#report, REPORT_MS_MIN);
  };
}

/** A handler that listens for these errors itself has taken them over. */
function hasOwnListener(event: string): boolean {
  return process.listenerCount(event) > 1;
}
