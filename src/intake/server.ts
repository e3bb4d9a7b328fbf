import { performance } from 'node:perf_hooks';
import { HISTOGRAM, responseCounter, type ThreadCounts } from '../metrics/count.js';
import { answers, type Status } from '../model/answers.js';
import type { ReceiptLookup } from '../model/receipt.js';
import {
  type BodyValidator,
  type Committer,
  IDEMPOTENCY_KEY_CHARS_MAX,
  type KeyedIntake,
} from '../model/stages.js';
import type {
  EngineFactory,
  HeaderName,
  HttpEngine,
  HttpReply,
  ListenAddress,
  RequestHead,
  Route,
} from './http.js';
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

/** The HTTP server of one intake thread. */
export class IntakeServer {
  readonly #parts: IntakeParts;
  readonly #engine: HttpEngine;
  readonly #contentType: HeaderName;
  readonly #idempotencyKey: HeaderName;
  readonly #slots: SlotPool;
  readonly #slowBodyCheck: NodeJS.Timeout;
  #stopping = false;
  /** Requests of this event-loop turn, not yet counted by the meter. */
  #hits = 0;
  /** When this event-loop turn began. Requests that are read in this turn count as received then. */
  #turnMs = 0;

  constructor(parts: IntakeParts, engine: EngineFactory) {
    this.#parts = parts;
    this.#contentType = engine.headerName('content-type');
    this.#idempotencyKey = engine.headerName('idempotency-key');
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
    const refuse = (allow: string) => (reply: HttpReply, head: RequestHead) =>
      this.#refuseMethod(reply, head, allow);
    const routes: Route[] = [
      { method: 'post', path: '/orders', answer: this.#postOrder },
      { method: 'any', path: '/orders', answer: refuse('POST') },
      { method: 'get', path: '/orders/:id', answer: receipt.answer },
      { method: 'head', path: '/orders/:id', answer: receipt.answer },
      { method: 'any', path: '/orders/:id', answer: refuse('GET, HEAD') },
      { method: 'any', path: '/*', answer: (reply, head) => this.#refusePath(reply, head) },
    ];
    this.#engine = engine.create(routes, { bodyMsMax });
  }

  /** @throws OperatorFault it cannot listen */
  listen(address: ListenAddress): Promise<void> {
    return this.#engine.listen(address);
  }

  /**
   * Stops accepting connections and orders. Resolves when every order taken before has been answered.
   *
   * @param drained resolves when the committer has no orders left
   */
  async stop(drained: () => Promise<void>): Promise<void> {
    this.#stopping = true;
    this.#engine.stopListening();
    await drained();
    // The remaining requests still send their body: they get a short time, then `close` ends their connections.
    const deadlineMs = performance.now() + STOP_GRACE_MS;
    while (this.#slots.inUse > 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS));
    }
  }

  /** Ends all connections. Must be called before the thread ends. */
  close(): void {
    clearInterval(this.#slowBodyCheck);
    this.#engine.close();
  }

  readonly #postOrder = (res: HttpReply, req: RequestHead): void => {
    if (this.#hits++ === 0) this.#beginTurn();
    const startedMs = this.#turnMs;
    if (!this.#parts.tryAdmit()) {
      reply(res, answers.serverKaput);
      this.#count(500, startedMs);
    } else if (!this.#isAcceptedMediaType(req.getHeader(this.#contentType))) {
      reply(res, answers.unsupportedMediaType);
      this.#count(415, startedMs);
    } else {
      const key = req.getHeader(this.#idempotencyKey);
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

  #refuseMethod(res: HttpReply, req: RequestHead, allow: string): void {
    const startedMs = performance.now();
    replyMethodNotAllowed(res, allow, req.getMethod() === 'head');
    this.#count(405, startedMs);
  }

  #refusePath(res: HttpReply, req: RequestHead): void {
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
