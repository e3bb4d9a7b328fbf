import { performance } from 'node:perf_hooks';
import { COUNTER, HISTOGRAM, responseCounter, type ThreadCounts } from '../metrics/count.js';
import { answers, type Status } from '../model/answers.js';
import type { Options } from '../model/options.js';
import type { ReceiptLookup } from '../model/receipt.js';
import {
  type BodyValidator,
  type Committer,
  IDEMPOTENCY_KEY_CHARS_MAX,
  type KeyedIntake,
} from '../model/stages.js';
import type { TlsMaterial } from '../model/tls.js';
import { Cors } from './cors.js';
import type {
  ConnectionGate,
  ConnectionRefusal,
  EngineFactory,
  HeaderName,
  HttpEngine,
  HttpReply,
  ListenAddress,
  RequestHead,
  Route,
} from './http.js';
import { ReceiptRoute } from './receipt-route.js';
import { type AnswerName, KEEP_ALIVE, Replies } from './reply.js';
import { BodyBuffers, FrameClock, SlotPool } from './request-slot.js';

type IntakeOptions = Pick<
  Options,
  'bodyBytesMax' | 'bodyMsMax' | 'allowNoContentType' | 'keepAliveMs' | 'corsOrigin'
>;

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
  readonly gate: ConnectionGate;
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
  readonly #factory: EngineFactory;
  readonly #engine: HttpEngine;
  readonly #names: HeaderNames;
  readonly #cors: Cors;
  readonly #slots: SlotPool;
  readonly #slowBodyCheck: NodeJS.Timeout;
  #checks = 0;
  #stopping = false;
  /** Requests of this event-loop turn, not yet counted by the meter. */
  #hits = 0;
  /** When this event-loop turn began. Requests that are read in this turn count as received then. */
  #turnMs = 0;

  constructor(parts: IntakeParts, engine: EngineFactory) {
    this.#parts = parts;
    this.#factory = engine;
    this.#names = headerNames(engine);
    const { validator, committer, keyed, receipts, counts, gate, options } = parts;
    const { bodyBytesMax, bodyMsMax } = options;
    const keepAliveMs = Math.min(options.keepAliveMs || KEEP_ALIVE_MS, engine.keepAliveMsMax);
    const keepAlive = `${KEEP_ALIVE}${Math.floor(keepAliveMs / 1000)}`;
    this.#cors = new Cors({
      origins: options.corsOrigin,
      headerName: engine.headerName,
      replies: (lines) =>
        new Replies([keepAlive, ...lines], () => counts.add(COUNTER.unreadConnections)),
    });
    this.#slots = new SlotPool(
      {
        validator,
        committer,
        keyed,
        counts,
        bodyBytesMax,
        bodies: new BodyBuffers(bodyBytesMax),
        frameClock: new FrameClock(),
        isStopping: () => this.#stopping,
      },
      this.#cors.others,
    );
    this.#slowBodyCheck = setInterval(this.#checkSlowBodies, SLOW_BODY_CHECK_MS);
    const receipt = new ReceiptRoute(receipts, counts, this.#cors.repliesTo);
    this.#engine = engine.create(
      [
        { method: 'post', path: '/orders', answer: this.#postOrder },
        ...this.#otherMethods('/orders', 'POST'),
        { method: 'get', path: '/orders/:id', answer: receipt.answer },
        { method: 'head', path: '/orders/:id', answer: receipt.answer },
        ...this.#otherMethods('/orders/:id', 'GET, HEAD'),
        { method: 'any', path: '/*', answer: this.#refusePath },
      ],
      { gate, refusal: REFUSAL, keepAliveMs, bodyMsMax },
      parts.tls,
    );
  }

  /** @param allow the methods of the path */
  #otherMethods(path: string, allow: string): Route[] {
    const answer = (res: HttpReply, req: RequestHead) => this.#refuseMethod(res, req, allow);
    const preflight = (res: HttpReply, req: RequestHead) => {
      if (!this.#cors.isPreflight(req)) {
        answer(res, req);
        return;
      }
      this.#cors.answerPreflight(res, req, allow);
      this.#parts.counts.add(responseCounter(200));
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
    const replies = this.#cors.repliesTo(req);
    if (!this.#parts.tryAdmit()) {
      this.#refuse(res, req, replies, 'serverKaput', startedMs);
    } else if (!this.#isAcceptedMediaType(req.getHeader(this.#names.contentType))) {
      this.#refuse(res, req, replies, 'unsupportedMediaType', startedMs);
    } else if (isCoded(req.getHeader(this.#names.contentEncoding))) {
      this.#toExpecting(req, replies).codingRefused(res);
      this.#count(415, startedMs);
    } else {
      const key = req.getHeader(this.#names.idempotencyKey);
      if (key !== '' && !isIdempotencyKey(key)) {
        this.#toExpecting(req, replies).invalid(res, 'idempotency-key');
        this.#count(400, startedMs);
      } else {
        const expect = req.getHeader(this.#names.expect);
        if (expect !== '' && this.#announcesTooMuch(req)) {
          this.#refuse(res, req, replies, 'tooLarge', startedMs);
        } else {
          const reply = expect === '' ? res : this.#factory.sendContinue(res, expect);
          this.#slots.acquire().begin(reply, replies, startedMs, key);
        }
      }
    }
  };

  /** Only for a client that waits for the answer: the body of another tells soon enough, and each look at a header costs. */
  #announcesTooMuch(req: RequestHead): boolean {
    return Number(req.getHeader(this.#names.contentLength)) > this.#parts.options.bodyBytesMax;
  }

  #refuse(
    res: HttpReply,
    req: RequestHead,
    replies: Replies,
    name: AnswerName,
    startedMs: number,
  ): void {
    this.#toExpecting(req, replies).send(res, name);
    this.#count(answers[name].status, startedMs);
  }

  /** The replies to a request whose body is not wanted: with `Expect`, the client may or may not send it. */
  #toExpecting(req: RequestHead, replies: Replies): Replies {
    return req.getHeader(this.#names.expect) === '' ? replies : replies.closing;
  }

  /** A web page can send a POST without a media type, or with that of a form, to any server, without asking it first. */
  #isAcceptedMediaType(contentType: string): boolean {
    if (contentType === JSON_TYPE) return true;
    return contentType === '' ? this.#parts.options.allowNoContentType : isJsonType(contentType);
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
    const replies = this.#toExpecting(req, this.#cors.repliesTo(req));
    replies.methodNotAllowed(res, allow, req.getMethod() === 'head');
    this.#count(405, startedMs);
  }

  readonly #refusePath = (res: HttpReply, req: RequestHead): void => {
    const startedMs = performance.now();
    const replies = this.#toExpecting(req, this.#cors.repliesTo(req));
    replies.notFound(res, req.getMethod() === 'head');
    this.#count(404, startedMs);
  };

  #count(status: Status, startedMs: number): void {
    const { counts } = this.#parts;
    counts.add(responseCounter(status));
    counts.observe(HISTOGRAM.requestSeconds, (performance.now() - startedMs) / 1000);
  }
}

/** The headers that the intake reads, in the form of the engine. */
interface HeaderNames {
  readonly contentType: HeaderName;
  readonly contentEncoding: HeaderName;
  readonly contentLength: HeaderName;
  readonly idempotencyKey: HeaderName;
  readonly expect: HeaderName;
}

function headerNames({ headerName }: EngineFactory): HeaderNames {
  return {
    contentType: headerName('content-type'),
    contentEncoding: headerName('content-encoding'),
    contentLength: headerName('content-length'),
    idempotencyKey: headerName('idempotency-key'),
    expect: headerName('expect'),
  };
}

/** For a connection beyond the limits. It is closed before its first request is read, so no origin is known. */
const REFUSAL: ConnectionRefusal = {
  head: `${answers.busy.statusLine}\r\nContent-Type: application/json\r\nRetry-After: 1`,
  body: answers.busy.body,
};

/** Whether a body is in another coding than `identity`: gzip for example. */
function isCoded(contentEncoding: string): boolean {
  return contentEncoding !== '' && contentEncoding.trim().toLowerCase() !== 'identity';
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
