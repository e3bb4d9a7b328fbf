import {
  App,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
} from 'uWebSockets.js';
import { performance } from 'node:perf_hooks';
import { HISTOGRAM, responseCounter, type ThreadCounts } from '../metrics/count.js';
import { answers, type Status } from '../model/answers.js';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { ReceiptLookup } from '../model/receipt.js';
import type { BodyValidator, Committer, KeyedIntake } from '../model/stages.js';
import { BodyBuffers } from './body-buffers.js';
import { CreatedReply } from './created-reply.js';
import { isIdempotencyKey } from './idempotency-key.js';
import { isAcceptedMediaType } from './media-type.js';
import { ReceiptRoute } from './receipt-route.js';
import { reply, replyInvalid, replyMethodNotAllowed, replyNotFound } from './reply.js';
import { SlotPool } from './slot-pool.js';

export interface IntakeParts {
  readonly validator: BodyValidator;
  readonly committer: Committer;
  /** Takes the orders that come with an idempotency key. */
  readonly keyed: KeyedIntake;
  /** Says what became of orders. */
  readonly receipts: ReceiptLookup;
  readonly counts: ThreadCounts;
  /** The limit of requests a second; always true where there is none. */
  readonly tryAdmit: () => boolean;
  /** Counts a request in the RPS meter. */
  readonly meter: { hit(requests: number): void };
  readonly bodyBytesMax: number;
  /** Milliseconds that a body may take to arrive. */
  readonly bodyMsMax: number;
}

/** How often slow bodies are looked for; milliseconds. They may overstay by as much. */
const SWEEP_MS = 250;
/** How often a stopping server looks whether the last request has been answered; milliseconds. */
const STOP_POLL_MS = 5;

/** As bytes: of a string, uWebSockets.js makes a copy at each call, a quarter of what the call takes. */
const CONTENT_TYPE = headerName('content-type');
const IDEMPOTENCY_KEY = headerName('idempotency-key');

/** The HTTP server of one intake thread. */
export class IntakeServer {
  readonly #parts: IntakeParts;
  readonly #app: TemplatedApp;
  readonly #slots: SlotPool;
  readonly #sweep: NodeJS.Timeout;
  #listenSocket: us_listen_socket | null = null;
  #stopping = false;
  /** Requests of this turn of the event loop, that the meter has not been told of. */
  #hits = 0;
  /** When this turn began: what it finds in the sockets has been there at least since then. */
  #turnMs = 0;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    const { validator, committer, keyed, receipts, counts, bodyBytesMax, bodyMsMax } = parts;
    this.#slots = new SlotPool({
      validator,
      committer,
      keyed,
      counts,
      bodyBytesMax,
      bodies: new BodyBuffers(bodyBytesMax),
      created: new CreatedReply(),
      isStopping: () => this.#stopping,
    });
    this.#sweep = setInterval(
      () => this.#slots.cutOffReadingSince(performance.now() - bodyMsMax),
      SWEEP_MS,
    );
    const receipt = new ReceiptRoute(receipts, counts);
    this.#app = App()
      .post('/orders', this.#postOrder)
      .any('/orders', (res, req) => this.#refuseMethod(res, req, 'POST'))
      .get('/orders/:id', receipt.answer)
      .head('/orders/:id', receipt.answer)
      .any('/orders/:id', (res, req) => this.#refuseMethod(res, req, 'GET, HEAD'))
      .any('/*', (res, req) => this.#refusePath(res, req));
  }

  /** Listens on `port`, which the process's other intake threads share. */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#app.listen(host, port, (listenSocket) => {
        if (listenSocket) {
          this.#listenSocket = listenSocket;
          resolve();
          return;
        }
        const remedy = 'choose another --host or --port, or stop what holds it';
        reject(new OperatorFault(`cannot listen on ${host}:${port}: ${remedy}`, EXIT.failed));
      });
    });
  }

  /**
   * Stops accepting connections and orders; resolves when every order taken before has its answer.
   * `drained` is the committer's word that it has none left.
   */
  async stop(drained: () => Promise<void>): Promise<void> {
    this.#stopping = true;
    if (this.#listenSocket !== null) us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
    await drained();
    // What remains is still sending its body: a little patience, then the connection ends with close().
    const deadlineMs = performance.now() + SWEEP_MS;
    while (this.#slots.inUse > 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS));
    }
  }

  /** Ends all connections. Must come before the thread ends: uWebSockets.js aborts the process otherwise. */
  close(): void {
    clearInterval(this.#sweep);
    this.#app.close();
  }

  readonly #postOrder = (res: HttpResponse, req: HttpRequest): void => {
    if (this.#hits++ === 0) this.#beginTurn();
    const startedMs = this.#turnMs;
    if (!this.#parts.tryAdmit()) {
      reply(res, answers.serverKaput);
      this.#count(500, startedMs);
    } else if (!isAcceptedMediaType(req.getHeader(CONTENT_TYPE))) {
      reply(res, answers.unsupportedMediaType);
      this.#count(415, startedMs);
    } else {
      const key = req.getHeader(IDEMPOTENCY_KEY);
      if (key !== '' && !isIdempotencyKey(key)) {
        replyInvalid(res, 'idempotency-key');
        this.#count(400, startedMs);
      } else {
        this.#slots.acquire().begin(res, startedMs, key);
      }
    }
  };

  #beginTurn(): void {
    this.#turnMs = performance.now();
    setImmediate(this.#tellMeter);
  }

  /** Once a turn: the meter is shared by all threads, so every call of it is an atomic operation. */
  readonly #tellMeter = (): void => {
    this.#parts.meter.hit(this.#hits);
    this.#hits = 0;
  };

  #refuseMethod(res: HttpResponse, req: HttpRequest, allow: string): void {
    const startedMs = performance.now();
    replyMethodNotAllowed(res, allow, req.getMethod() === 'head');
    this.#count(405, startedMs);
  }

  #refusePath(res: HttpResponse, req: HttpRequest): void {
    const startedMs = performance.now();
    replyNotFound(res, req.getMethod() === 'head');
    this.#count(404, startedMs);
  }

  #count(status: Status, startedMs: number): void {
    const { counts } = this.#parts;
    counts.add(responseCounter(status));
    counts.observe(HISTOGRAM.requestSeconds, (performance.now() - startedMs) / 1000);
  }
}

/** A buffer of its own: uWebSockets.js would take all of the one that a small Buffer is part of. */
function headerName(name: string): ArrayBuffer {
  return Uint8Array.from(name, (char) => char.charCodeAt(0)).buffer;
}
