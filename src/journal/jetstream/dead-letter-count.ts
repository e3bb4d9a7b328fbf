import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { SteadyLook } from '../nats/steady-look.js';
import type { Upkeep } from '../nats/upkeep.js';

const PART = 'dead letters';

/**
 * How many dead letters a stream keeps. Asked for each second, because other processes file and take away
 * too; those that this process has filed since count at once. Rather too many for a moment than too few: the count is
 * held against a bound.
 */
export class DeadLetterCount {
  readonly #stream: string;
  readonly #steady: SteadyLook;
  #found = 0;
  #filed = 0;
  /** Of those, how many the last count must have seen. */
  #filedBefore = 0;

  constructor(stream: string, upkeep: Upkeep) {
    this.#stream = stream;
    this.#steady = new SteadyLook(PART, upkeep, (manager) => this.#look(manager));
  }

  kept(): number {
    return this.#found + this.#filed - this.#filedBefore;
  }

  filed(letters: number): void {
    this.#filed += letters;
  }

  /** To be called whenever the connection has come up. */
  start(nc: NatsConnection): Promise<void> {
    return this.#steady.start(nc);
  }

  stop(): void {
    this.#steady.stop();
  }

  async #look(manager: JetStreamManager): Promise<void> {
    // Taken before the question, so that what is filed until the answer is not left out.
    const filedBefore = this.#filed;
    const { state } = await manager.streams.info(this.#stream);
    this.#found = state.messages;
    this.#filedBefore = filedBefore;
  }
}
