import { setTimeout as sleep } from 'node:timers/promises';
import type { TidyScope } from './log-bounds.js';
import type { LoggedFrames } from './logged-frames.js';

/** The longest that a frame stays unnoticed when nothing asks for it. */
const CHECK_MS = 200;
/** Between two checks while frames come in: the frames of this time are found together. */
const GATHER_MS = 5;

/** Reads the logs: periodically, and soon after a commit when something waits for frames. */
export class LogLoop {
  readonly #logged: LoggedFrames;
  readonly #timer: NodeJS.Timeout;
  readonly #listen: (() => void) | null;
  readonly #onChecked: () => void;
  #isAwake = false;
  #isWokenAgain = false;
  #tidying: Promise<void> | null = null;
  #closed = false;
  #readFault = '';
  #tidyFault = '';

  /**
   * @param listen makes the appenders call `wake` at their next commit; null when nothing waits for frames
   * @param onChecked called after each check: there may be new frames
   */
  constructor(logged: LoggedFrames, listen: (() => void) | null, onChecked: () => void) {
    this.#logged = logged;
    this.#listen = listen;
    this.#onChecked = onChecked;
    this.#timer = setInterval(() => this.wake(), CHECK_MS);
    this.#timer.unref();
    listen?.();
  }

  /** Why what was accepted last cannot be read, or not be moved into the tables; empty when no fault is known. */
  get fault(): string {
    return this.#readFault || this.#tidyFault;
  }

  /** Checks once. When something waits for frames, repeats the check while frames come in. */
  wake(): void {
    if (this.#closed) return;
    // A commit reported during the last check may come after that check, and its appender reports only once.
    this.#isWokenAgain = this.#isAwake;
    if (this.#isAwake) return;
    this.#isAwake = true;
    void this.#checkOn().finally(() => {
      this.#isAwake = false;
      if (this.#isWokenAgain) this.wake();
    });
  }

  /**
   * Finds everything that is durable now; true when anything was new.
   * @throws Error a log cannot be read
   */
  read(): boolean {
    try {
      const isNew = this.#logged.read();
      this.#readFault = '';
      return isNew;
    } catch (error) {
      this.#readFault = (error as Error).message;
      throw error;
    }
  }

  /** Frees what is settled. What cannot be freed any more is found at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#tidying;
    this.#check();
    await this.#tidying;
    await this.#tidy('stop');
    this.#logged.close();
  }

  async #checkOn(): Promise<void> {
    if (this.#listen === null) {
      this.#check();
      return;
    }
    while (this.#check()) {
      await sleep(GATHER_MS, undefined, { ref: false });
      if (this.#closed) return;
    }
    // In this order: a commit in between is found by the check or reported by its appender.
    this.#listen();
    this.#check();
  }

  #check(): boolean {
    let isNew = false;
    try {
      isNew = this.read();
    } catch {
      // It is the fault that is reported, until a later check succeeds.
    }
    this.#onChecked();
    this.#tidying ??= this.#tidy('due').finally(() => {
      this.#tidying = null;
    });
    return isNew;
  }

  async #tidy(scope: TidyScope): Promise<void> {
    try {
      await this.#logged.tidy(scope);
      this.#tidyFault = '';
    } catch (error) {
      this.#tidyFault = (error as Error).message;
    }
  }
}
