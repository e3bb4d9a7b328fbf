import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Upkeep } from '../jetstream/upkeep.js';

const POLL_MS = 1000;

const PART = 'dead letters';

/**
 * How many dead letters a stream keeps. Asked for each second, because other processes file and take away
 * too; those that this process has filed since count at once. Rather too many for a moment than too few: the count is
 * held against a bound.
 */
export class DeadLetterCount {
  readonly #stream: string;
  readonly #upkeep: Upkeep;
  #found = 0;
  #filed = 0;
  /** Of those, how many the last count must have seen. */
  #filedBefore = 0;
  #isLooking = false;
  #manager: JetStreamManager | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(stream: string, upkeep: Upkeep) {
    this.#stream = stream;
    this.#upkeep = upkeep;
  }

  kept(): number {
    return this.#found + this.#filed - this.#filedBefore;
  }

  filed(letters: number): void {
    this.#filed += letters;
  }

  /** To be called whenever the connection has come up. */
  async start(nc: NatsConnection): Promise<void> {
    this.#manager = await jetstreamManager(nc, { checkAPI: false });
    if (this.#timer === null) {
      this.#timer = setInterval(() => void this.#look(), POLL_MS);
      this.#timer.unref();
    }
    await this.#look();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    // Taken before the question, so that what is filed until the answer is not left out.
    const filedBefore = this.#filed;
    try {
      const { state } = await this.#manager!.streams.info(this.#stream);
      this.#found = state.messages;
      this.#filedBefore = filedBefore;
      this.#upkeep.fine(PART);
    } catch (error) {
      // Away: the connection says so, and the last look stands until the next.
      await this.#upkeep.mendWhenGone(PART, error);
    } finally {
      this.#isLooking = false;
    }
  }
}
