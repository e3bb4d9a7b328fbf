import { performance } from 'node:perf_hooks';
import { COUNTER, responseCounter, type ThreadCounts } from '../metrics/count.js';
import { answers } from '../model/answers.js';
import { LineWithHeaders } from '../model/kept-headers.js';
import type { Options } from '../model/options.js';
import type { ReceiptLookup } from '../model/receipt.js';
import type { BodyValidator, Committer, KeyedIntake, Limiter } from '../model/stages.js';
import type { TlsMaterial } from '../model/tls.js';
import { BatchIntake } from './batch-intake.js';
import { BodyBuffers } from './body-buffers.js';
import type { CountingGate } from './connection-gate.js';
import { Cors } from './cors.js';
import { FrameClock } from './frame-clock.js';
import type {
  ConnectionRefusal,
  EngineFactory,
  HeaderName,
  HttpEngine,
  HttpReply,
  ListenAddress,
  RequestHead,
  Route,
} from './http.js';
import { countRefusal, OrderRoute, toExpecting } from './order-route.js';
import { ReceiptRoute } from './receipt-route.js';
import { KEEP_ALIVE, Replies } from './reply.js';
import { ExtrasReader, type RequestSenders } from './request-extras.js';
import { SlotPool } from './slot-pool.js';

type IntakeOptions = Pick<
  Options,
  | 'path'
  | 'bodyBytesMax'
  | 'bodyMsMax'
  | 'allowNoContentType'
  | 'keepAliveMs'
  | 'corsOrigin'
  | 'rpsLimit'
  | 'limitStatus'
  | 'idempotencyFrom'
  | 'keepHeaders'
  | 'frameOrdersMax'
  | 'frameBytesMax'
  | 'waitingOrdersMax'
>;

export interface IntakeParts {
  readonly validator: BodyValidator;
  readonly committer: Committer;
  /** Takes orders with an idempotency key. */
  readonly keyed: KeyedIntake;
  readonly receipts: ReceiptLookup;
  readonly counts: ThreadCounts;
  /** The limit of the server; null for none. */
  readonly limiter: Limiter | null;
  readonly senders: RequestSenders;
  /** Counts a request in the RPS meter. */
  readonly meter: { hit(requests: number): void };
  readonly gate: CountingGate;
  readonly options: IntakeOptions;
  /** Null for HTTP without TLS. */
  readonly tls: TlsMaterial | null;
}

/** Interval of the check for slow bodies. They can exceed their time by as much. */
const SLOW_BODY_CHECK_MS = 250;
/** Checks between two calls of the engine for bodies that are arriving: 4 s, and uWebSockets.js waits for 8 at least. */
const KEEP_READING_CHECKS = 16;
/** Unless it is given. Longer than the 60 s for which nginx and others keep connections to a server. */
const KEEP_ALIVE_MS = 75_000;
/** Interval at which a stopping server checks whether all connections have ended. */
const STOP_POLL_MS = 5;
/**
 * So often a server that has closed its listener takes orders on the connections that are open: for 250 ms. Counted, because
 * a thread that gets no time to run would find that time over before it has read what has arrived.
 */
const STOP_POLLS_MAX = 50;
/** How long a server that closes its listener waits for a moment at which no connection waits there. */
const QUIET_MS_MAX = 1000;
/** Connections that can wait at a listener: both engines ask the kernel for 511 or 512, and it adds one. */
const WAITING_MAX = 513;

/** The HTTP server of one intake thread. */
export class IntakeServer {
  readonly #parts: IntakeParts;
  readonly #factory: EngineFactory;
  readonly #engine: HttpEngine;
  readonly #expect: HeaderName;
  readonly #extras: ExtrasReader | null;
  readonly #cors: Cors;
  readonly #batches: BatchIntake;
  readonly #slots: SlotPool;
  readonly #slowBodyCheck: NodeJS.Timeout;
  #checks = 0;
  #stopping = false;

  constructor(parts: IntakeParts, engine: EngineFactory) {
    this.#parts = parts;
    this.#factory = engine;
    this.#expect = engine.headerName('expect');
    const { validator, committer, keyed, counts, gate, options } = parts;
    const { bodyBytesMax, bodyMsMax } = options;
    const keepAliveMs = Math.min(options.keepAliveMs || KEEP_ALIVE_MS, engine.keepAliveMsMax);
    const keepAlive = `${KEEP_ALIVE}${Math.floor(keepAliveMs / 1000)}`;
    this.#extras = ExtrasReader.open({ ...parts.senders, headerName: engine.headerName, options });
    this.#cors = new Cors({
      origins: options.corsOrigin,
      headers: this.#extras?.headers ?? [],
      headerName: engine.headerName,
      replies: (lines) =>
        new Replies([keepAlive, ...lines], () => counts.add(COUNTER.unreadConnections)),
    });
    const lineWithHeaders = new LineWithHeaders();
    this.#batches = new BatchIntake({ ...parts, lineWithHeaders });
    this.#slots = new SlotPool(
      {
        validator,
        committer,
        keyed,
        counts,
        bodyBytesMax,
        bodies: new BodyBuffers(Math.max(bodyBytesMax, this.#batches.bodyBytesMax)),
        frameClock: new FrameClock(),
        lineWithHeaders,
        batches: this.#batches,
        extras: this.#extras,
        isStopping: () => this.#stopping,
      },
      this.#cors.others,
    );
    this.#slowBodyCheck = setInterval(this.#checkSlowBodies, SLOW_BODY_CHECK_MS);
    this.#engine = engine.create(
      this.#routes(),
      { gate, refusal: REFUSAL, keepAliveMs, bodyMsMax },
      parts.tls,
    );
  }

  #routes(): Route[] {
    const { receipts, counts, limiter, meter, options } = this.#parts;
    const { repliesTo } = this.#cors;
    const engine = this.#factory;
    const slots = this.#slots;
    const extras = this.#extras;
    const order = new OrderRoute({
      engine,
      repliesTo,
      slots,
      counts,
      limiter,
      batches: this.#batches,
      extras,
      meter,
      options,
    });
    const receipt = new ReceiptRoute(receipts, counts, repliesTo, extras);
    const { path } = options;
    const batchPath = `${path}/batch`;
    const notAllowed = (res: HttpReply, req: RequestHead) => this.#refuseMethod(res, req, 'POST');
    return [
      { method: 'post', path, answer: order.answer },
      ...this.#otherMethods(path, 'POST'),
      { method: 'post', path: batchPath, answer: order.answerBatch },
      // Named, because an engine asks the routes of a method before those of any.
      { method: 'get', path: batchPath, answer: notAllowed },
      { method: 'head', path: batchPath, answer: notAllowed },
      ...this.#otherMethods(batchPath, 'POST'),
      { method: 'get', path: `${path}/:id`, answer: receipt.answer },
      { method: 'head', path: `${path}/:id`, answer: receipt.answer },
      ...this.#otherMethods(`${path}/:id`, 'GET, HEAD'),
      { method: 'any', path: '/*', answer: this.#refusePath },
    ];
  }

  /** @param allow the methods of the path */
  #otherMethods(path: string, allow: string): Route[] {
    const answer = (res: HttpReply, req: RequestHead) => this.#refuseMethod(res, req, allow);
    const preflight = (res: HttpReply, req: RequestHead) => {
      if (!this.#cors.isPreflight(req)) {
        answer(res, req);
        return;
      }
      this.#parts.counts.add(responseCounter(200));
      this.#cors.answerPreflight(res, req, allow);
    };
    return [
      { method: 'options', path, answer: preflight },
      { method: 'any', path, answer },
    ];
  }

  readonly #checkSlowBodies = (): void => {
    this.#slots.closeReadingSince(performance.now() - this.#parts.options.bodyMsMax);
    if (this.#checks++ % KEEP_READING_CHECKS > 0) return;
    this.#slots.keepReading((res) => this.#factory.keepReading(res));
  };

  /** New connections get this certificate. @throws OperatorFault it cannot be used */
  renewTls(tls: TlsMaterial): void {
    this.#engine.renewTls(tls);
  }

  /** @throws OperatorFault it cannot listen */
  listen(address: ListenAddress): Promise<void> {
    return this.#engine.listen(address);
  }

  /** From now on each answer asks its client to close the connection. Orders are still taken. */
  endConnections(): void {
    this.#cors.endConnections();
  }

  /**
   * Accepts no more connections, after those that wait at the listener. Those are complete for their clients, which may have sent
   * an order already: to close the listener would reset them.
   */
  async stopListening(): Promise<void> {
    const { gate } = this.#parts;
    const deadlineMs = performance.now() + QUIET_MS_MAX;
    // node:http accepts one in each turn: a thread that gets little time to run has not all of them by the deadline.
    const waitingUntil = gate.accepted + WAITING_MAX;
    const isQuiet = (before: number) => {
      if (gate.accepted === before) return true;
      return gate.accepted >= waitingUntil && performance.now() >= deadlineMs;
    };
    for (let accepted = -1; !isQuiet(accepted); ) {
      accepted = gate.accepted;
      // After the second one, the loop has asked the kernel for new connections and accepted them.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#engine.stopListening();
  }

  /**
   * Stops accepting orders. Resolves when every order taken before has been answered.
   *
   * @param drained resolves when the committer has no orders left
   */
  async stop(drained: () => Promise<void>): Promise<void> {
    // An order may be on its way on each open connection. Those that remain then are ended by `close`.
    for (let polls = 0; this.#parts.gate.open > 0 && polls < STOP_POLLS_MAX; polls++) {
      await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS));
    }
    this.#stopping = true;
    await drained();
  }

  /** Ends all connections. Must be called before the thread ends. */
  close(): void {
    clearInterval(this.#slowBodyCheck);
    this.#engine.close();
  }

  #refuseMethod(res: HttpReply, req: RequestHead, allow: string): void {
    countRefusal(this.#parts.counts, 405, performance.now());
    this.#repliesTo(req).methodNotAllowed(res, allow, req.getMethod() === 'head');
  }

  readonly #refusePath = (res: HttpReply, req: RequestHead): void => {
    countRefusal(this.#parts.counts, 404, performance.now());
    this.#repliesTo(req).notFound(res, req.getMethod() === 'head');
  };

  #repliesTo(req: RequestHead): Replies {
    return toExpecting(req, this.#expect, this.#cors.repliesTo(req));
  }
}

/** For a connection beyond the limits. It is closed before its first request is read, so no origin is known. */
const REFUSAL: ConnectionRefusal = {
  head: `${answers.busy.statusLine}\r\nContent-Type: application/json\r\nRetry-After: 1`,
  body: answers.busy.body,
};
