import { setTimeout as sleep } from 'node:timers/promises';
import {
  type JetStreamManager,
  type JetStreamManagerOptions,
  jetstreamManager,
} from '@nats-io/jetstream';
import {
  connect,
  type NatsConnection,
  PermissionViolationError,
  type Status,
} from '@nats-io/transport-node';
import { pause } from '../../model/backoff.js';
import { OperatorFault } from '../../model/fault.js';
import type { Log } from '../../model/log.js';
import type { NatsFiles } from '../../model/options.js';
import { CLIENT_CERTIFICATE, connectFault } from './connect-fault.js';
import { type Beginning, probeServers, SLOW_REFUSAL_MS } from './probe.js';
import { JetStreamPublisher } from './publisher.js';
import { type ReplyInbox, ReplyInboxes } from './reply-inbox.js';
import { type NatsServers, natsServers } from './servers.js';

export interface JetStreamConnectionParts {
  /** NATS URLs; the first that answers is used. */
  readonly servers: readonly string[];
  /** Certificates and credentials; default: none. */
  readonly files?: NatsFiles;
  /** Shown by the server's monitoring. */
  readonly clientName: string;
  /** Run whenever the connection is established, before it counts as up. Retried when it fails. */
  readonly prepare: (nc: NatsConnection) => Promise<void>;
  readonly log: Log;
}

const DIAL_MS_MAX = 2000;
const RETRY_MS = 1000;
const CLOSED_MS = 20;
const RECONNECT_MS = 250;
const RECONNECT_JITTER_MS = 250;

/**
 * A server that is frozen, or unreachable without an error, is given up after three of these (one ping sent, two
 * missed). With the client's default of 2 minutes, that would take six minutes.
 */
const PING_MS = 10_000;

/**
 * A NATS connection that is established in the background and never given up, and that reports at any time whether it
 * is up. That matters because the client does not refuse to publish while it is disconnected: the bytes are lost.
 */
export class JetStreamConnection {
  /** Resolves when first up; rejects with an OperatorFault when the operator has to act. */
  readonly ready: Promise<void>;
  /** The only publisher of this connection. */
  readonly publisher: JetStreamPublisher;
  readonly #parts: JetStreamConnectionParts;
  readonly #servers: NatsServers;
  readonly #closing = new AbortController();
  readonly #replies: ReplyInboxes;
  readonly #onChange = new Set<(up: boolean) => void>();
  readonly #onDenied = new Set<(subject: string, error: Error) => void>();
  readonly #ended: Promise<void>;
  /** How often the connection was lost; tells whether an asynchronous step belongs to an earlier connection. */
  #losses = 0;
  #nc: NatsConnection | null = null;
  #up = false;
  #linked = false;
  #reason: string;

  constructor(parts: JetStreamConnectionParts) {
    this.#parts = parts;
    this.#servers = natsServers(parts.servers, parts.files);
    this.#reason = `NATS at ${this.#servers.shown} has not answered yet`;
    this.#replies = new ReplyInboxes(this);
    this.publisher = new JetStreamPublisher(this);
    let succeed!: () => void;
    let fail!: (fault: OperatorFault) => void;
    this.ready = new Promise<void>((resolve, reject) => {
      succeed = resolve;
      fail = reject;
    });
    // A caller that ignores it must not end the process.
    this.ready.catch(() => {});
    this.#ended = this.#run(succeed, fail);
  }

  get up(): boolean {
    return this.#up;
  }

  /**
   * Whether the client has a connection. A client that has moved to another node of a cluster is linked at
   * once, and up when JetStream answers there: electing leaders can take half a minute.
   */
  get linked(): boolean {
    return this.#linked;
  }

  /** Why it is not up, in one line; empty while it is. */
  get reason(): string {
    return this.#up ? '' : this.#reason;
  }

  /** The client; only while linked. */
  get nc(): NatsConnection {
    if (this.#nc === null) throw new Error(this.#reason);
    return this.#nc;
  }

  /** Receives the answers to requests; only while up. */
  get replies(): ReplyInbox {
    return this.#replies.current;
  }

  /** Called at every change; returns a function that ends that. */
  onChange(listener: (up: boolean) => void): () => void {
    this.#onChange.add(listener);
    return () => this.#onChange.delete(listener);
  }

  /** Called when the server refuses that this user publishes on a subject: no answer will come. */
  onDenied(listener: (subject: string, error: Error) => void): void {
    this.#onDenied.add(listener);
  }

  /** Resolves when up, closed or after `ms`, whichever is first. */
  async whenUp(ms: number): Promise<void> {
    if (this.#up) return;
    if (this.#closing.signal.aborted) {
      // Not at once: a caller that waits in a loop must not block the thread.
      await sleep(Math.min(ms, CLOSED_MS));
      return;
    }
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(done, ms);
      const stop = this.onChange(done);
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#linked = false;
    this.#setUp(false, 'the connection to NATS is closed');
    await this.#nc?.close();
    await this.#ended;
  }

  async #run(succeed: () => void, fail: (fault: OperatorFault) => void): Promise<void> {
    const { signal } = this.#closing;
    let wasUp = false;
    while (!signal.aborted) {
      try {
        await this.#connect();
        if (signal.aborted) break;
        // From now on: the connection may be lost before it is prepared.
        const statuses = this.nc.status();
        await this.#parts.prepare(this.nc);
        if (signal.aborted) break;
        this.#linked = true;
        this.#setUp(true, '');
        wasUp = true;
        succeed();
        await this.#watch(this.nc, statuses);
      } catch (error) {
        this.#report(error as Error);
        // Retried all the same: the operator may fix it on the server.
        if (error instanceof OperatorFault && !wasUp) fail(error);
      }
      this.#linked = false;
      await this.#nc?.close();
      if (!signal.aborted) await pause(RETRY_MS, signal);
    }
    succeed();
  }

  async #connect(): Promise<void> {
    const { clientName } = this.#parts;
    const { options } = this.#servers;
    const beginning = await this.#probe();
    const { isTlsFirst, needsCertificate } = beginning;
    const tls = isTlsFirst ? { tls: { ...options.tls, handshakeFirst: true } } : {};
    const connected = connect({
      ...options,
      ...tls,
      name: clientName,
      timeout: DIAL_MS_MAX,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      reconnectJitter: RECONNECT_JITTER_MS,
      pingInterval: PING_MS,
      noAsyncTraces: true,
    });
    this.#nc = await connected.catch(async (error: Error) => {
      // The server ends a connection without the right certificate when the client has sent its first message.
      if (needsCertificate && error.name === 'TimeoutError') throw new Error(CLIENT_CERTIFICATE);
      // Busy servers refuse late. The client does not pass on why: it only says that the time is over.
      if (error.name === 'TimeoutError') await this.#probe(SLOW_REFUSAL_MS);
      throw error;
    });
    // Closed while dialling: `close` did not see this client.
    if (this.#closing.signal.aborted) await this.#nc.close();
  }

  #probe(refusalMs?: number): Promise<Beginning> {
    return probeServers(this.#servers, DIAL_MS_MAX, this.#closing.signal, refusalMs);
  }

  /** Follows the client's own reconnects; returns when it has given up, or was closed. */
  async #watch(nc: NatsConnection, statuses: AsyncIterable<Status>): Promise<void> {
    for await (const status of statuses) {
      if (status.type === 'disconnect') {
        this.#losses++;
        this.#linked = false;
        this.#setUp(false, `the connection to NATS at ${status.server} is lost`);
        if (!this.#closing.signal.aborted) this.#parts.log('journal-down', this.#reason);
      } else if (status.type === 'reconnect') {
        this.#linked = true;
        void this.#bringUp(nc);
      } else if (status.type === 'error' && status.error instanceof PermissionViolationError) {
        const { operation, subject } = status.error;
        if (operation !== 'publish') continue;
        for (const listener of this.#onDenied) listener(subject, status.error);
      }
    }
    this.#setUp(false, 'the connection to NATS was given up');
  }

  async #bringUp(nc: NatsConnection): Promise<void> {
    const { signal } = this.#closing;
    const losses = this.#losses;
    while (!signal.aborted && !nc.isClosed() && this.#losses === losses) {
      try {
        await this.#parts.prepare(nc);
        if (signal.aborted || this.#losses !== losses) return;
        this.#setUp(true, '');
        this.#parts.log('journal-up', `connected to NATS at ${nc.getServer()} again`);
        return;
      } catch (error) {
        // It was lost again, and may be up since.
        if (this.#losses !== losses) return;
        this.#report(error as Error);
        await pause(RETRY_MS, signal);
      }
    }
  }

  #report(error: Error): void {
    if (this.#closing.signal.aborted) return;
    this.#setUp(false, `NATS at ${this.#servers.shown}: ${connectFault(error)}`);
    this.#parts.log('journal-down', this.#reason);
  }

  #setUp(up: boolean, reason: string): void {
    this.#up = up;
    this.#reason = reason;
    for (const listener of [...this.#onChange]) listener(up);
  }
}

/** The JetStream API of the server. Sends nothing by itself unless `checkAPI` is set. */
export function managerOf(
  nc: NatsConnection,
  options: JetStreamManagerOptions = {},
): Promise<JetStreamManager> {
  return jetstreamManager(nc, { checkAPI: false, ...options });
}
