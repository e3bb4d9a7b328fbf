import {
  createInbox,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type Payload,
} from '@nats-io/transport-node';

/** Status of the server's answer when no one is subscribed to a subject. */
export const NO_RESPONDERS = 503;

interface Asked {
  readonly subject: string;
  readonly resolve: (answer: Msg) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** What the inboxes need of a connection that is lost and established again. */
export interface InboxConnection {
  /** Only while the connection is up. */
  readonly nc: NatsConnection;
  onChange(listener: (up: boolean) => void): () => void;
  onDenied(listener: (subject: string, error: Error) => void): void;
}

/** The inbox of the current connection. */
export class ReplyInboxes {
  readonly #connection: InboxConnection;
  #inbox: ReplyInbox | null = null;
  #inboxOf: NatsConnection | null = null;

  constructor(connection: InboxConnection) {
    this.#connection = connection;
    connection.onChange(() => this.#inbox?.fail(new Error('connection lost')));
    connection.onDenied((subject, error) => this.#inbox?.fail(error, subject));
  }

  /** Only while the connection is up. */
  get current(): ReplyInbox {
    const { nc } = this.#connection;
    if (this.#inbox === null || this.#inboxOf !== nc) {
      this.#inbox = new ReplyInbox(nc);
      this.#inboxOf = nc;
    }
    return this.#inbox;
  }
}

/**
 * Publishes requests; each answer arrives on a subject of its own under one subscription. The client's `request` does
 * the same, but creates for each answer an unused error, a promise race and several closures: a tenth of what a frame
 * costs the intake thread, and its confirmed ack the drain thread.
 */
export class ReplyInbox {
  readonly #nc: NatsConnection;
  readonly #prefix = `${createInbox()}.`;
  readonly #asked = new Map<string, Asked>();
  #number = 0;
  /** Why no answer can arrive; null while they can. */
  #fault: Error | null = null;

  /** For one connection only; its own reconnects are fine. */
  constructor(nc: NatsConnection) {
    this.#nc = nc;
    nc.subscribe(`${this.#prefix}*`, { callback: (error, answer) => this.#take(error, answer) });
  }

  /**
   * Rejects with a plain Error when no answer came within `timeoutMs`, or none will come: it is unknown whether the
   * message arrived. Rejects with the client's error when the client refuses to send.
   */
  request(
    subject: string,
    payload: Payload,
    headers: MsgHdrs | undefined,
    timeoutMs: number,
  ): Promise<Msg> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== null) throw this.#fault;
      const reply = this.#prefix + (this.#number++).toString(36);
      this.#nc.publish(subject, payload, headers === undefined ? { reply } : { headers, reply });
      const timer = setTimeout(() => this.#forget(reply)?.reject(new Error('timeout')), timeoutMs);
      this.#asked.set(reply, { subject, resolve, reject, timer });
    });
  }

  /** No answer will come to the requests so far: to those on this subject, or without one to all. */
  fail(error: Error, subject?: string): void {
    for (const [reply, asked] of this.#asked) {
      if (subject === undefined || asked.subject === subject) this.#forget(reply)?.reject(error);
    }
  }

  #take(error: Error | null, answer: Msg): void {
    if (error === null) {
      this.#forget(answer.subject)?.resolve(answer);
      return;
    }
    // The server does not allow the subscription.
    this.#fault = error;
    this.fail(error);
  }

  #forget(reply: string): Asked | undefined {
    const asked = this.#asked.get(reply);
    if (asked === undefined) return undefined;
    this.#asked.delete(reply);
    clearTimeout(asked.timer);
    return asked;
  }
}
