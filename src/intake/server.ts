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
import {
  type BodyValidator,
  type Committer,
  IDEMPOTENCY_KEY_CHARS_MAX,
  type KeyedIntake,
} from '../model/stages.js';
import { ReceiptRoute } from './receipt-route.js';
import {
  CreatedReply,
  reply,
  replyInvalid,
  replyMethodNotAllowed,
  replyNotFound,
} from './reply.js';
import { BodyBuffers, SlotPool } from './request-slot.js';

export interface IntakeParts {
  readonly validator: BodyValidator;
  readonly committer: Committer;
  /** Takes orders with an idempotency key. */
  readonly keyed: KeyedIntake;
  readonly receipts: ReceiptLookup;
  readonly counts: ThreadCounts;
  /** The limiter: whether a request is admitted now. Always true without a limit. */
  readonly tryAdmit: () => boolean;
  /** Counts a request in the RPS meter. */
  readonly meter: { hit(requests: number): void };
  readonly bodyBytesMax: number;
  /** Whether a POST without Content-Type is taken as JSON. */
  readonly allowNoContentType: boolean;
  /** How long a body may take to arrive. */
  readonly bodyMsMax: number;
}

/** Interval of the check for slow bodies. They can exceed their time by as much. */
const SLOW_BODY_CHECK_MS = 250;
/** How long a stopping server waits for bodies that are still arriving. */
const STOP_GRACE_MS = 250;
/** Interval at which a stopping server checks whether all requests have been answered. */
const STOP_POLL_MS = 5;
const JSON_TYPE = 'application/json';
/** Visible ASCII: `!` to `~`. */
const KEY_CHAR_MIN = 0x21;
const KEY_CHAR_MAX = 0x7e;

/** As bytes: uWebSockets.js copies a string at each call, which takes a quarter of the call's time. */
const CONTENT_TYPE = headerName('content-type');
const IDEMPOTENCY_KEY = headerName('idempotency-key');

/** The HTTP server of one intake thread. */
export class IntakeServer {
  readonly #parts: IntakeParts;
  readonly #app: TemplatedApp;
  readonly #slots: SlotPool;
  readonly #slowBodyCheck: NodeJS.Timeout;
  #listenSocket: us_listen_socket | null = null;
  #stopping = false;
  /** Requests of this event-loop turn, not yet counted by the meter. */
  #hits = 0;
  /** When this event-loop turn began. Requests that are read in this turn count as received then. */
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
    this.#slowBodyCheck = setInterval(
      () => this.#slots.closeReadingSince(performance.now() - bodyMsMax),
      SLOW_BODY_CHECK_MS,
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

  /** Listens on `port`, which all intake threads of the process share. */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#app.listen(host, port, (listenSocket) => {
        if (listenSocket) {
          this.#listenSocket = listenSocket;
          resolve();
          return;
        }
        const fix = 'choose another --host or --port, or stop the process that uses it';
        reject(new OperatorFault(`cannot listen on ${host}:${port}; fix: ${fix}`, EXIT.failed));
      });
    });
  }

  /**
   * Stops accepting connections and orders. Resolves when every order taken before has been answered.
   *
   * @param drained resolves when the committer has no orders left
   */
  async stop(drained: () => Promise<void>): Promise<void> {
    this.#stopping = true;
    if (this.#listenSocket !== null) us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
    await drained();
    // The remaining requests still send their body: they get a short time, then `close` ends their connections.
    const deadlineMs = performance.now() + STOP_GRACE_MS;
    while (this.#slots.inUse > 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS));
    }
  }

  /** Ends all connections. Must be called before the thread ends, otherwise uWebSockets.js aborts the process. */
  close(): void {
    clearInterval(this.#slowBodyCheck);
    this.#app.close();
  }

  readonly #postOrder = (res: HttpResponse, req: HttpRequest): void => {
    if (this.#hits++ === 0) this.#beginTurn();
    const startedMs = this.#turnMs;
    if (!this.#parts.tryAdmit()) {
      reply(res, answers.serverKaput);
      this.#count(500, startedMs);
    } else if (!this.#isAcceptedMediaType(req.getHeader(CONTENT_TYPE))) {
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

  /** A web page can send a POST without a media type, or with that of a form, to any server, without asking it first. */
  #isAcceptedMediaType(contentType: string): boolean {
    if (contentType === JSON_TYPE) return true;
    return contentType === '' ? this.#parts.allowNoContentType : isJsonType(contentType);
  }

  #beginTurn(): void {
    this.#turnMs = performance.now();
    setImmediate(this.#countHits);
  }

  /** Once per turn: the meter is shared by all threads, so each call costs an atomic operation. */
  readonly #countHits = (): void => {
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

/** `application/json` in any case, with or without parameters. */
function isJsonType(contentType: string): boolean {
  const semicolon = contentType.indexOf(';');
  const essence = semicolon < 0 ? contentType : contentType.slice(0, semicolon);
  return essence.trim().toLowerCase() === JSON_TYPE;
}

/** Whether the value of an `Idempotency-Key` header is valid: 1 to 64 visible ASCII characters. */
function isIdempotencyKey(text: string): boolean {
  if (text.length === 0 || text.length > IDEMPOTENCY_KEY_CHARS_MAX) return false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char < KEY_CHAR_MIN || char > KEY_CHAR_MAX) return false;
  }
  return true;
}

/** An ArrayBuffer of its own: of a small Buffer, uWebSockets.js would read the whole pool that it is part of. */
function headerName(name: string): ArrayBuffer {
  return Uint8Array.from(name, (char) => char.charCodeAt(0)).buffer;
}
