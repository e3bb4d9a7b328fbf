import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { GroupedWrites } from '../store/grouped-writes.js';
import type { LocalStore } from '../store/local-store.js';
import { LogCheckpoint } from './log-checkpoint.js';

/** How long a frame lies in a log at most when nobody asks for it. */
const MOVE_MS = 200;
/** Between two looks while frames come in: those of so long are moved together. */
const GATHER_MS = 5;

/** Has the logs moved into the tables by and by, and soon where somebody waits for what is in them. */
export class CheckpointLoop {
  readonly #mover: LogCheckpoint;
  readonly #timer: NodeJS.Timeout;
  readonly #listen: (() => void) | null;
  readonly #onLooked: () => void;
  #isAwake = false;
  #isWokenAgain = false;
  #closed = false;
  #fault = '';

  /**
   * Returns when all that is in a log now is in the tables.
   *
   * @param listen has the appenders call `wake` at their next commit; null where nobody waits for frames
   * @param onLooked there may be frames in the tables that were not there before
   * @throws OperatorFault a log cannot be read, or the tables take no writes
   */
  constructor(
    store: LocalStore,
    writes: GroupedWrites,
    listen: (() => void) | null,
    onLooked: () => void,
  ) {
    this.#mover = new LogCheckpoint(store, (write, bytes) => writes.write(write, bytes));
    try {
      this.#mover.runAtStart();
    } catch (error) {
      throw new OperatorFault(
        `data folder ${store.folder}: what its logs hold cannot be moved into the journal: ${(error as Error).message}`,
        EXIT.failed,
      );
    }
    this.#listen = listen;
    this.#onLooked = onLooked;
    this.#timer = setInterval(() => this.wake(), MOVE_MS);
    this.#timer.unref();
    listen?.();
  }

  /** Why what was accepted last cannot be moved now; empty when nothing is known to be wrong. */
  get fault(): string {
    return this.#fault;
  }

  /** Looks now, and where somebody waits for frames again and again while there are any. */
  wake(): void {
    if (this.#closed) return;
    // A commit that is told of during the last look may come after that look: its appender tells once.
    this.#isWokenAgain = this.#isAwake;
    if (this.#isAwake) return;
    this.#isAwake = true;
    void this.#lookOn().finally(() => {
      this.#isAwake = false;
      if (this.#isWokenAgain) this.wake();
    });
  }

  /** Resolves when all that is durable now is in the tables: true when anything was moved. @throws Error they take no writes */
  async move(): Promise<boolean> {
    try {
      const moved = await this.#mover.move();
      this.#fault = '';
      return moved;
    } catch (error) {
      this.#fault = (error as Error).message;
      throw error;
    }
  }

  /** What cannot be moved any more is found at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.move().catch(() => {});
    this.#mover.close();
  }

  async #lookOn(): Promise<void> {
    if (this.#listen === null) {
      await this.#look();
      return;
    }
    while (await this.#look()) await sleep(GATHER_MS, undefined, { ref: false });
    // In this order: what is committed in between is found by the look or told by its appender.
    this.#listen();
    await this.#look();
  }

  async #look(): Promise<boolean> {
    if (this.#closed) return false;
    const moved = await this.move().catch(() => false);
    this.#onLooked();
    return moved;
  }
}
