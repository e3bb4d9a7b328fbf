import { createInbox, type Msg, type NatsConnection, nanos } from '@nats-io/transport-node';
import { StreamMessage } from './message.js';

/** Added to the time of a request, for its end to arrive. */
const GRACE_MS = 2000;

/** No messages, and the request has expired: the normal ends of a request. */
const ENDS: readonly number[] = [404, 408];

/** How a request ended. */
export interface PullEnd {
  /** Number of messages received. */
  readonly received: number;
  /**
   * Why the server does not serve the consumer, for example because it was deleted or has no leader; empty when it
   * does.
   */
  readonly refusal: string;
}

interface Request {
  readonly inbox: string;
  left: number;
  readonly end: (refusal?: string) => void;
}

/**
 * Requests messages from one pull consumer, one request at a time, so that at most as many messages arrive as were
 * requested. (The client's own `consume` requests more on reception, and its `fetch` repeats the whole request after
 * a reconnect.)
 *
 * A request with `no_wait` and `expires` returns the messages that are available, up to `batch`. When there are none,
 * it waits for the first until it expires. The server then reports its end. Both hold for servers 2.9.10 and 2.15.
 */
export class JetStreamPull {
  readonly #nc: NatsConnection;
  readonly #subject: string;
  readonly #inbox: string;
  readonly #onMessage: (message: StreamMessage) => void;
  #requests = 0;
  #received = 0;
  #open: Request | null = null;
  /** What the server accepts. */
  #batchMax = Number.POSITIVE_INFINITY;
  #msMax = Number.POSITIVE_INFINITY;

  /** @param onMessage gets every message, also those that arrive after their request has ended */
  constructor(
    nc: NatsConnection,
    stream: string,
    consumer: string,
    onMessage: (message: StreamMessage) => void,
  ) {
    this.#nc = nc;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    this.#inbox = createInbox();
    this.#onMessage = onMessage;
    nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message);
      },
    });
  }

  /**
   * Resolves when the request has ended and its messages were passed to `onMessage`. After a refusal, the caller
   * pauses before the next request, because the server refuses at once. A server or consumer that takes only smaller
   * or shorter requests gets those.
   */
  async request(batch: number, waitMs: number): Promise<PullEnd> {
    const end = await this.#request(Math.min(batch, this.#batchMax), Math.min(waitMs, this.#msMax));
    return end.received === 0 && this.#adapt(end.refusal) ? this.request(batch, waitMs) : end;
  }

  /** Whether the refusal says what would not be refused. */
  #adapt(refusal: string): boolean {
    const batch = Number(/Exceeded MaxRequestBatch of (\d+)/i.exec(refusal)?.[1]);
    const isSmaller = batch > 0 && batch < this.#batchMax;
    if (isSmaller) this.#batchMax = batch;
    const ms = durationMs(/Exceeded MaxRequestExpires of (\S+)/i.exec(refusal)?.[1] ?? '');
    const isShorter = ms > 0 && ms < this.#msMax;
    if (isShorter) this.#msMax = ms;
    return isSmaller || isShorter;
  }

  async #request(batch: number, waitMs: number): Promise<PullEnd> {
    const inbox = `${this.#inbox}.${this.#requests++}`;
    let timer: NodeJS.Timeout | undefined;
    const receivedBefore = this.#received;
    const refusal = await new Promise<string>((resolve) => {
      this.#open = { inbox, left: batch, end: (why = '') => resolve(why) };
      timer = setTimeout(() => resolve('it does not answer'), waitMs + GRACE_MS);
      const expires = waitMs > 0 ? { expires: nanos(waitMs) } : {};
      const body = JSON.stringify({ batch, no_wait: true, ...expires });
      this.#nc.publish(this.#subject, body, { reply: inbox });
    }).finally(() => {
      clearTimeout(timer);
      this.#open = null;
    });
    return { received: this.#received - receivedBefore, refusal };
  }

  /** The connection is lost, and the request with it. */
  abandon(): void {
    this.#open?.end();
  }

  #receive(message: Msg): void {
    const open = this.#open;
    // A message of the stream has its own subject; only a status is sent to the request's inbox.
    if (message.subject.startsWith(this.#inbox)) {
      if (open !== null && message.subject === open.inbox) open.end(refusalOf(message));
      return;
    }
    this.#received++;
    this.#onMessage(new StreamMessage(message));
    if (open !== null && --open.left === 0) open.end();
  }
}

function refusalOf({ headers }: Msg): string {
  const code = headers?.code ?? 0;
  if (ENDS.includes(code)) return '';
  return code === 503 ? 'it does not answer' : `${code} ${headers?.description ?? ''}`.trim();
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Of a duration as Go prints it, `1m0.5s` or `100ms`, rounded down; 0 for any other text. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)];
  return Math.floor(parts.reduce((sum, [, n, unit]) => sum + Number(n) * UNITS_MS[unit!]!, 0));
}
