import { performance } from 'node:perf_hooks';
import { HISTOGRAM, responseCounter, type ThreadCounts } from '../metrics/count.js';
import { answers, type Status } from '../model/answers.js';
import type { Options } from '../model/options.js';
import { IDEMPOTENCY_KEY_CHARS_MAX } from '../model/stages.js';
import type { RepliesTo } from './cors.js';
import type { EngineFactory, HeaderName, HttpReply, RequestHead } from './http.js';
import type { AnswerName, Replies } from './reply.js';
import type { SlotPool } from './request-slot.js';

export interface OrderRouteParts {
  readonly engine: EngineFactory;
  readonly repliesTo: RepliesTo;
  readonly slots: SlotPool;
  readonly counts: ThreadCounts;
  /** The limiter: whether a request is admitted now. Always true without a limit. */
  readonly tryAdmit: () => boolean;
  /** Counts a request in the RPS meter. */
  readonly meter: { hit(requests: number): void };
  readonly options: Pick<Options, 'bodyBytesMax' | 'allowNoContentType'>;
}

const JSON_TYPE = 'application/json';
/** Visible ASCII: `!` to `~`. */
const KEY_CHAR_MIN = 0x21;
const KEY_CHAR_MAX = 0x7e;

/** `POST` to `--path`: checks the head of a request. The body goes to a slot. */
export class OrderRoute {
  readonly #parts: OrderRouteParts;
  readonly #names: HeaderNames;
  /** Requests of this event-loop turn, not yet counted by the meter. */
  #hits = 0;
  /** When this event-loop turn began. Requests that are read in this turn count as received then. */
  #turnMs = 0;

  constructor(parts: OrderRouteParts) {
    this.#parts = parts;
    this.#names = headerNames(parts.engine);
  }

  /** The first check that fails answers. */
  readonly answer = (res: HttpReply, req: RequestHead): void => {
    if (this.#hits++ === 0) this.#beginTurn();
    const startedMs = this.#turnMs;
    const names = this.#names;
    const replies = this.#parts.repliesTo(req);
    if (!this.#parts.tryAdmit()) {
      this.#refuse(res, req, replies, 'serverKaput', startedMs);
      return;
    }
    if (!this.#isAcceptedMediaType(req.getHeader(names.contentType))) {
      this.#refuse(res, req, replies, 'unsupportedMediaType', startedMs);
      return;
    }
    const coding = req.getHeader(names.contentEncoding);
    const isGzip = coding !== '' && isGzipCoding(coding);
    if (coding !== '' && !isGzip && !isIdentity(coding)) {
      this.#toExpecting(req, replies).codingRefused(res);
      this.#count(415, startedMs);
      return;
    }
    const key = req.getHeader(names.idempotencyKey);
    if (key !== '' && !isIdempotencyKey(key)) {
      this.#toExpecting(req, replies).invalid(res, 'idempotency-key');
      this.#count(400, startedMs);
      return;
    }
    const expect = req.getHeader(names.expect);
    if (expect !== '' && this.#announcesTooMuch(req)) {
      this.#refuse(res, req, replies, 'tooLarge', startedMs);
      return;
    }
    const reply = expect === '' ? res : this.#parts.engine.sendContinue(res, expect);
    this.#parts.slots.acquire().begin(reply, replies, startedMs, key, isGzip);
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

  #toExpecting(req: RequestHead, replies: Replies): Replies {
    return toExpecting(req, this.#names.expect, replies);
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

  #count(status: Status, startedMs: number): void {
    countRefusal(this.#parts.counts, status, startedMs);
  }
}

/** The replies to a request whose body is not wanted: with `Expect`, the client may or may not send it. */
export function toExpecting(req: RequestHead, expect: HeaderName, replies: Replies): Replies {
  return req.getHeader(expect) === '' ? replies : replies.closing;
}

/** @param startedMs on the clock of `performance.now()` */
export function countRefusal(counts: ThreadCounts, status: Status, startedMs: number): void {
  counts.add(responseCounter(status));
  counts.observe(HISTOGRAM.requestSeconds, (performance.now() - startedMs) / 1000);
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

/** `x-gzip` is another name for it (RFC 9110, 8.4.1.3). */
function isGzipCoding(contentEncoding: string): boolean {
  return /^\s*(?:x-)?gzip\s*$/i.test(contentEncoding);
}

function isIdentity(contentEncoding: string): boolean {
  return /^\s*identity\s*$/i.test(contentEncoding);
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
