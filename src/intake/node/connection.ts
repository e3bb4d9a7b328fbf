import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Refusal, refusalText } from './refusal.js';

/** A request with its answer, as its connection sees it. */
export interface PendingExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The connection ends before the answer. */
  abort(): void;
  /** Answers with a refusal instead. @returns false if it is answered already */
  refuse(refusal: Refusal): boolean;
}

/** How long the input of a connection that is being closed is discarded: a reset could overtake the last answer. */
const LINGER_MS = 1000;

/**
 * Requests of one connection that may wait for their answer. node:http reads on while they wait, however many they are; beyond
 * this, the connection ends after their answers.
 */
const UNANSWERED_MAX = 1000;

const CONNECTION = Symbol('connection');
type KnownSocket = Socket & { [CONNECTION]?: Connection };

/**
 * A connection of node:http, whose answers node:http sends in the order of the requests. This adds what must hold at its
 * end: an error is answered after the requests before it, and nothing after it is taken.
 */
export class Connection {
  readonly #socket: Socket;
  /** Oldest first. */
  readonly #unanswered: PendingExchange[] = [];
  #newest: PendingExchange | null = null;
  /** The newest request is the last one that is taken. */
  #isLast = false;
  #hasFailed = false;

  static of(socket: KnownSocket): Connection {
    socket[CONNECTION] ??= new Connection(socket);
    return socket[CONNECTION];
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.once('close', () => this.abortAll());
    const destroySoon = socket.destroySoon.bind(socket);
    // node:http calls this after the last answer.
    socket.destroySoon = () => {
      if (this.#hasFailed || this.#newest?.request.complete === false) this.#linger();
      else destroySoon();
    };
  }

  get takesRequests(): boolean {
    return !this.#isLast;
  }

  add(exchange: PendingExchange): void {
    this.#newest = exchange;
    this.#unanswered.push(exchange);
    // What follows a request with `Connection: close` is not for us (RFC 9112, 9.6).
    if (!exchange.response.shouldKeepAlive) this.#isLast = true;
    else if (this.#unanswered.length === UNANSWERED_MAX) this.#endAfterAnswers();
  }

  /** The connection ends after the answer to the newest request. */
  takeNoMore(): void {
    this.#isLast = true;
    this.#stopReading();
  }

  isNewest(exchange: PendingExchange): boolean {
    return this.#newest === exchange;
  }

  /** The answer of an exchange has been written, or never will be. */
  remove(exchange: PendingExchange): void {
    const at = this.#unanswered.indexOf(exchange);
    if (at >= 0) this.#unanswered.splice(at, 1);
  }

  /** The newest request is answered with a refusal, after which nothing is taken. */
  refuseNewest(refusal: Refusal): void {
    this.#isLast = true;
    this.#hasFailed = true;
    if (!this.#newest!.refuse(refusal)) this.#afterAnswers(() => this.#linger());
    this.#stopReading();
  }

  /** What arrived is not HTTP. The requests before it are answered first. */
  fail(refusal: Refusal): void {
    if (this.#hasFailed) return;
    if (this.#newest?.request.complete === false) {
      this.refuseNewest(refusal);
      return;
    }
    if (this.#isLast) return;
    this.#isLast = true;
    this.#hasFailed = true;
    this.#afterAnswers(() => {
      this.#socket.write(refusalText(refusal));
      this.#linger();
    });
  }

  /** The connection ends in place of the answer to `exchange`; those before it are still sent. */
  closeAt(exchange: PendingExchange): void {
    this.#isLast = true;
    this.#hasFailed = true;
    const from = this.#unanswered.indexOf(exchange);
    if (from < 0) {
      this.#afterAnswers(() => this.#linger());
      return;
    }
    for (const lost of this.#unanswered.splice(from)) lost.abort();
    if (exchange.response.socket !== null) this.#socket.destroy();
    else exchange.response.once('socket', () => this.#socket.destroy());
  }

  /** The client is gone. */
  abortAll(): void {
    this.#isLast = true;
    for (const lost of this.#unanswered.splice(0)) lost.abort();
  }

  #endAfterAnswers(): void {
    this.#isLast = true;
    // Later, as in `#stopReading`.
    setImmediate(() => {
      this.#hasFailed = true;
      this.#discardInput();
      if (this.#newest?.request.complete === false) this.closeAt(this.#newest);
      else this.#afterAnswers(() => this.#linger());
    });
  }

  /**
   * What follows is not for us. node:http would keep each further request until those before it are answered.
   *
   * Later, because the parser has the rest of a segment, and its socket cannot be taken from it meanwhile.
   */
  #stopReading(): void {
    setImmediate(() => this.#discardInput());
  }

  #afterAnswers(then: () => void): void {
    const response = this.#newest?.response;
    if (response === undefined || response.writableFinished) then();
    else response.once('finish', then);
  }

  /** The parser must not read on. A listener for data takes the socket from it. */
  #discardInput(): void {
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', () => {});
  }

  #linger(): void {
    this.#discardInput();
    this.#socket.end();
    const end = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(end));
  }
}
