import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Log } from '../../model/log.js';
import type { GroupedWrites } from '../store/grouped-writes.js';
import type { LocalStore } from '../store/local-store.js';
import { LogCheckpoint } from './log-checkpoint.js';

/** The longest that a frame stays in the log alone when nothing asks for it. */
const CHECKPOINT_MS = 200;
/** Between two checkpoints while frames come in: the frames of this time share one. */
const GATHER_MS = 5;

/** Runs checkpoints of the logs: periodically, and soon after a commit when something waits for frames. */
export class CheckpointLoop {
  readonly #checkpoint: LogCheckpoint;
  readonly #timer: NodeJS.Timeout;
  readonly #listen: (() => void) | null;
  readonly #onChecked: () => void;
  #isAwake = false;
  #isWokenAgain = false;
  #closed = false;
  #fault = '';

  /**
   * Returns when everything in the logs is in the tables.
   * @param listen makes the appenders call `wake` at their next commit; null when nothing waits for frames
   * @param onChecked called after each check: the tables may have new frames
   * @throws OperatorFault a log cannot be read, or the tables take no writes
   */
  constructor(
    store: LocalStore,
    writes: GroupedWrites,
    listen: (() => void) | null,
    onChecked: () => void,
    log: Log,
  ) {
    this.#checkpoint = new LogCheckpoint(store, (write, bytes) => writes.write(write, bytes), log);
    try {
      this.#checkpoint.runAtStart();
    } catch (error) {
      this.#checkpoint.close();
      throw new OperatorFault(
        `data folder ${store.folder}: its logs cannot be copied into the journal: ${(error as Error).message}`,
        EXIT.failed,
      );
    }
    this.#listen = listen;
    this.#onChecked = onChecked;
    this.#timer = setInterval(() => this.wake(), CHECKPOINT_MS);
    this.#timer.unref();
    listen?.();
  }

  /** Why what was accepted last cannot be copied into the tables; empty when no fault is known. */
  get fault(): string {
    return this.#fault;
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
   * Resolves when everything that is durable now is in the tables; true when anything was copied.
   * @throws Error the tables take no writes
   */
  async run(): Promise<boolean> {
    try {
      const copied = await this.#checkpoint.run();
      this.#fault = '';
      return copied;
    } catch (error) {
      this.#fault = (error as Error).message;
      throw error;
    }
  }

  /** What cannot be copied any more is found at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.run().catch(() => {});
    this.#checkpoint.close();
  }

  async #checkOn(): Promise<void> {
    if (this.#listen === null) {
      await this.#check();
      return;
    }
    while (await this.#check()) await sleep(GATHER_MS, undefined, { ref: false });
    // In this order: a commit in between is found by the check or reported by its appender.
    this.#listen();
    await this.#check();
  }

  async #check(): Promise<boolean> {
    if (this.#closed) return false;
    const copied = await this.run().catch(() => false);
    this.#onChecked();
    return copied;
  }
}
