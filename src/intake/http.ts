import type { OrdersAddress } from '../model/listen.js';
import type { TlsMaterial } from '../model/tls.js';

/** What the routes know of the HTTP engine under them. An engine is a folder of src/intake; a process loads one of them. */

/**
 * The answer to one request. It is the part of uWebSockets.js's `HttpResponse` that the intake uses, with the same
 * contract, so that the engine of uWebSockets.js passes its own objects on.
 *
 * A route must answer before it returns, or call `onAborted` first. After that, answers are written inside `cork`.
 */
export interface HttpReply {
  /** Status code and reason. Bytes may go on with header lines: `200 OK\r\nname: value`. */
  writeStatus(status: string | Uint8Array): HttpReply;
  writeHeader(name: string, value: string): HttpReply;
  end(body: string | Uint8Array): unknown;
  /**
   * Ends the answer if the client has read enough of the answers before it. The first of the results is false if it has not:
   * then the connection must be closed, because nothing bounds the answers that wait for it, or `onWritable` be called.
   *
   * @param bytes the length of `body`
   */
  tryEnd(body: Uint8Array, bytes: number): readonly [boolean, boolean];
  /**
   * After `tryEnd` has sent a part of the body: `handler` is called when more can be sent, with the bytes sent so far. It passes
   * the others to `tryEnd`, and returns whether that has sent them all.
   */
  onWritable(handler: (sent: number) => boolean): unknown;
  /** Ends an answer that has no body, or announces the length of one without carrying it. */
  endWithoutBody(): unknown;
  cork(write: () => void): unknown;
  /** Ends the connection without an answer; `onAborted` is called before this returns. */
  close(): unknown;
  /** Called when the connection ends before the answer. The reply must not be used any more. */
  onAborted(handler: () => void): unknown;
  /** Called for each piece of the body, which is valid during the call only. Without it, the body is discarded. */
  onData(handler: (chunk: ArrayBuffer | Uint8Array, isLast: boolean) => void): unknown;
}

/** A request up to its body. It is valid during the call of the route only. */
export interface RequestHead {
  /** In lower case. */
  getMethod(): string;
  /** The first header of that name, with a character for each byte; empty if there is none. */
  getHeader(name: HeaderName): string;
  /** Calls `read` with each header: its name in lower case, and its value, whose bytes are read as UTF-8. */
  forEach(read: (name: string, value: string) => void): void;
  /** The value of the placeholder of the route's path. */
  getParameter(index: number): string | undefined;
}

/** A name in lower case, in the form in which the engine finds it fastest: see `EngineFactory.headerName`. */
export type HeaderName = string | ArrayBuffer;

export type RouteHandler = (reply: HttpReply, head: RequestHead) => void;

/** The first route that matches answers. */
export interface Route {
  readonly method: 'any' | 'get' | 'head' | 'options' | 'post';
  /** Each segment is text or the placeholder `:id`, which stands for one segment that is not empty; `/*` matches all. */
  readonly path: string;
  readonly answer: RouteHandler;
}

/** Where an engine listens. */
export interface ListenAddress {
  readonly at: OrdersAddress;
  /** Whether other threads of the process listen there too. */
  readonly isShared: boolean;
}

export interface HttpEngine {
  /** @throws OperatorFault it cannot listen */
  listen(address: ListenAddress): Promise<void>;
  /** Accepts no more connections; those that wait at the listener are reset. Those that are open go on. */
  stopListening(): void;
  /** New connections get this certificate. Those that are open go on. @throws OperatorFault it cannot be used */
  renewTls(tls: TlsMaterial): void;
  /** Ends all connections. Must be called before the thread ends. */
  close(): void;
}

/** Bounds the open connections. */
export interface ConnectionGate {
  /**
   * Counts a new connection.
   *
   * @param peer the address of the client, in any notation; empty if it has none
   * @returns false if the connection must be answered 503 and closed
   */
  opened(peer: () => string): boolean;
  /** Counts the end of a connection, whatever `opened` has returned. */
  closed(): void;
}

/** What an engine enforces itself, as far as it can. */
export interface EngineLimits {
  readonly gate: ConnectionGate;
  /** The answer to a connection that the gate refuses. */
  readonly refusal: ConnectionRefusal;
  /** How long an idle connection is kept at least. */
  readonly keepAliveMs: number;
  /** How long a body may take to arrive. */
  readonly bodyMsMax: number;
}

export interface ConnectionRefusal {
  /** Status and header lines, for `writeStatus`. */
  readonly head: string;
  readonly body: string;
}

/** How an engine is made. */
export interface EngineFactory {
  /** How long it keeps an idle connection at most; no limit: Infinity. */
  readonly keepAliveMsMax: number;
  headerName(name: string): HeaderName;
  /**
   * Sends 100 Continue, unless the engine has done so itself.
   *
   * @param expect value of the header `Expect`
   * @returns the reply for the answer
   */
  sendContinue(reply: HttpReply, expect: string): HttpReply;
  /** To be called every few seconds while a body arrives, so that the engine does not end it. */
  keepReading(reply: HttpReply): void;
  /** @param tls null for HTTP without TLS. @throws OperatorFault it cannot be used */
  create(routes: readonly Route[], limits: EngineLimits, tls: TlsMaterial | null): HttpEngine;
}
