import type { NatsConnection } from '@nats-io/transport-node';
import type { Frame } from '../contract/frame.js';
import type { Delivery, Settlement, Source } from '../contract/journal.js';
import type { Receipt } from '../contract/receipt.js';
import { JetStreamBacklog } from './jetstream-backlog.js';
import type { JetStreamConnection } from './jetstream-connection.js';
import { ACK_WAIT_MS } from './jetstream-declare.js';
import { FramesInHand } from './jetstream-in-hand.js';
import type { StreamMessage } from './jetstream-message.js';
import type { JetStreamNames } from './jetstream-names.js';
import { JetStreamPull } from './jetstream-pull.js';
import { JetStreamSettler } from './jetstream-settlement.js';

export interface JetStreamSourceParts {
  /** Ids for frames that are filed again; sort by time like those of fresh frames. */
  readonly newFrameId: () => string;
  /** Orders committed by all appenders of this process, ever rising. */
  readonly acceptedOrders: () => number;
  /** One line for the operator. */
  readonly log: (line: string) => void;
}

/** How late a retry can be seen: while there is nothing, or between two looks under load. */
const RETRY_POLL_MS = 250;

/** For what was sent last to leave before the connection is closed. */
const FLUSH_MS_MAX = 1000;

interface Pulls {
  readonly nc: NatsConnection;
  readonly fresh: JetStreamPull;
  readonly retry: JetStreamPull;
}

/**
 * Reads the stream through its two consumers, fresh frames and retries. Never more is asked for than
 * the pull at hand may return; retries first.
 */
export class JetStreamSource implements Source {
  readonly name = 'jetstream';
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;
  readonly #inHand: FramesInHand;
  readonly #settler: JetStreamSettler;
  readonly #backlog: JetStreamBacklog;
  readonly #closing = new AbortController();
  readonly #settling = new Set<Promise<void>>();
  readonly #keepAlive: NodeJS.Timeout;
  /** Frames that have come and that no pull has returned yet: of a round, or of an aborted pull. */
  readonly #arrived: Delivery[] = [];
  #pulls: Pulls | null = null;
  #round: Promise<void> | null = null;
  #retriesAskedAtMs = 0;

  constructor(
    connection: JetStreamConnection,
    names: JetStreamNames,
    { newFrameId, acceptedOrders, log }: JetStreamSourceParts,
  ) {
    this.#connection = connection;
    this.#names = names;
    this.#inHand = new FramesInHand(log);
    const closing = this.#closing.signal;
    const inHand = this.#inHand;
    this.#settler = new JetStreamSettler({ connection, names, newFrameId, inHand, log, closing });
    this.#backlog = new JetStreamBacklog(names, acceptedOrders);
    this.#keepAlive = setInterval(() => {
      if (connection.up) inHand.keepAlive(connection.nc);
    }, ACK_WAIT_MS / 3);
    this.#keepAlive.unref();
    connection.onChange((up) => {
      if (up) void this.#backlog.start(connection.nc).catch(() => {});
      else this.#abandonRound();
    });
  }

  /** Resolves when first reachable; rejects with an OperatorFault when it never will be. */
  get ready(): Promise<void> {
    return this.#connection.ready;
  }

  get reachable(): boolean {
    return this.#connection.up;
  }

  get reason(): string {
    return this.#connection.reason;
  }

  async pull(framesMax: number, signal: AbortSignal): Promise<Delivery[]> {
    while (!signal.aborted && !this.#closing.signal.aborted) {
      if (this.#arrived.length > 0) return this.#arrived.splice(0, framesMax);
      this.#round ??= this.#ask(framesMax).finally(() => {
        this.#round = null;
      });
      await endedOrAborted(this.#round, signal);
    }
    return [];
  }

  pendingOrders(): number {
    return this.#backlog.orders();
  }

  oldestAcceptedAtMs(): number {
    return this.#backlog.oldestAcceptedAtMs();
  }

  async receipt(_frameId: string, _index: number): Promise<Receipt> {
    return 'unknown';
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#keepAlive);
    this.#backlog.stop();
    this.#abandonRound();
    await Promise.allSettled([this.#round, ...this.#settling]);
    if (this.#connection.up) {
      const { nc } = this.#connection;
      this.#inHand.releaseAll(nc);
      await Promise.race([nc.flush().catch(() => {}), delay(FLUSH_MS_MAX)]);
    }
    await this.#connection.close();
  }

  /** One round: what is due of the retries, else fresh frames, waiting a little for the first. */
  async #ask(framesMax: number): Promise<void> {
    if (!this.#connection.up) {
      await this.#connection.whenUp(RETRY_POLL_MS);
      return;
    }
    const { fresh, retry } = this.#currentPulls();
    const nowMs = performance.now();
    if (nowMs - this.#retriesAskedAtMs >= RETRY_POLL_MS) {
      const received = await retry.request(framesMax, 0);
      // A full answer may not be all: ask again in the next round.
      if (received < framesMax) this.#retriesAskedAtMs = nowMs;
    }
    const room = framesMax - this.#arrived.length;
    if (room > 0) await fresh.request(room, this.#arrived.length > 0 ? 0 : RETRY_POLL_MS);
  }

  #currentPulls(): Pulls {
    const { nc } = this.#connection;
    if (this.#pulls?.nc !== nc) {
      const { stream, freshConsumer, retryConsumer } = this.#names;
      const receive = (message: StreamMessage) => this.#receive(message, nc);
      this.#pulls = {
        nc,
        fresh: new JetStreamPull(nc, stream, freshConsumer, receive),
        retry: new JetStreamPull(nc, stream, retryConsumer, receive),
      };
    }
    return this.#pulls;
  }

  #abandonRound(): void {
    this.#pulls?.fresh.abandon();
    this.#pulls?.retry.abandon();
  }

  #receive(message: StreamMessage, nc: NatsConnection): void {
    const frame = this.#inHand.admit(message, nc);
    if (frame !== null) this.#arrived.push(this.#delivery(frame, message.seq));
  }

  #delivery(frame: Frame, seq: number): Delivery {
    return {
      frame,
      settle: (settlement) => {
        const settled = this.#settle(frame, seq, settlement);
        this.#settling.add(settled);
        return settled.finally(() => this.#settling.delete(settled));
      },
      release: () => {
        const { up } = this.#connection;
        this.#inHand.release(frame.id, up ? this.#connection.nc : null);
      },
    };
  }

  async #settle(frame: Frame, seq: number, settlement: Settlement): Promise<void> {
    this.#backlog.settleStarts();
    const isDone = await this.#settler.settle(frame, settlement);
    const refiled = settlement.refile.reduce((sum, { positions }) => sum + positions.length, 0);
    this.#backlog.settleEnds(seq, isDone ? frame.count : 0, isDone ? refiled : 0);
    if (isDone) this.#inHand.settled(frame.id);
  }
}

/** Resolves when `work` has ended or `signal` is aborted, whichever is first. */
async function endedOrAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    work.then(done, done);
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
