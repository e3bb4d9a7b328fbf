import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Upkeep } from './upkeep.js';

const LOOK_MS = 1000;

/** Asks NATS how things stand when the connection has come up and each second after, never twice at once. */
export class SteadyLook {
  readonly #part: string;
  readonly #upkeep: Upkeep;
  readonly #look: (manager: JetStreamManager) => Promise<void>;
  #manager: JetStreamManager | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  /** @param part what is looked at, by the name that upkeep knows it under */
  constructor(part: string, upkeep: Upkeep, look: (manager: JetStreamManager) => Promise<void>) {
    this.#part = part;
    this.#upkeep = upkeep;
    this.#look = look;
  }

  /** To be called whenever the connection has come up. */
  async start(nc: NatsConnection): Promise<void> {
    this.#manager = await jetstreamManager(nc, { checkAPI: false });
    if (this.#timer === null) {
      this.#timer = setInterval(() => void this.#lookOnce(), LOOK_MS);
      this.#timer.unref();
    }
    await this.#lookOnce();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #lookOnce(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#look(this.#manager!);
      this.#upkeep.fine(this.#part);
    } catch (error) {
      // Away: the connection says so, and the last look stands until the next.
      await this.#upkeep.mendWhenGone(this.#part, error);
    } finally {
      this.#isLooking = false;
    }
  }
}
