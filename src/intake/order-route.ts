import { performance } from 'node:perf_hooks';
import { HISTOGRAM, responseCounter, type ThreadCounts } from '../metrics/count.js';
import { answers, type Status } from '../model/answers.js';
import { isIdempotencyKey, KEY_IN_BODY } from '../model/idempotency-key.js';
import { KEPT_BYTES_MAX } from '../model/kept-headers.js';
import type { Options } from '../model/options.js';
import type { Sender } from '../model/senders.js';
import type { Limiter } from '../model/stages.js';
import { batchFormat, handlingOf } from './batch-head.js';
import type { BatchIntake } from './batch-intake.js';
import { BatchRun } from './batch-run.js';
import type { RepliesTo } from './cors.js';
import type { EngineFactory, HeaderName, HttpReply, RequestHead } from './http.js';
import type { AnswerName, Replies } from './reply.js';
import type { ExtrasReader, RequestExtras } from './request-extras.js';
import type { SlotPool } from './slot-pool.js';

export interface OrderRouteParts {
  readonly engine: EngineFactory;
  readonly repliesTo: RepliesTo;
  readonly slots: SlotPool;
  readonly counts: ThreadCounts;
  /** The limit of the server; null for none. */
  readonly limiter: Limiter | null;
  readonly batches: Pick<BatchIntake, 'bodyBytesMax'>;
  /** Null if no option about senders is on. */
  readonly extras: ExtrasReader | null;
  /** Counts a request in the RPS meter. */
  readonly meter: { hit(requests: number): void };
  readonly options: Pick<
    Options,
    'bodyBytesMax' | 'allowNoContentType' | 'rpsLimit' | 'limitStatus'
  >;
}

const JSON_TYPE = 'application/json';

/** `POST` to `--path` and to its `/batch`: checks the head of a request. The body goes to a slot. */
export class OrderRoute {
  readonly #parts: OrderRouteParts;
  readonly #names: HeaderNames;
  /** Requests of this event-loop turn, not yet counted by the meter. */
  #hits = 0;
  /** When this event-loop turn began. Requests that are read in this turn count as received then. */
  #turnMs = 0;
  /** Of the request whose head is checked; null if it has none. */
  #sender: Sender | null = null;

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
    const reader = this.#parts.extras;
    if (reader !== null) {
      if (!this.#isKnown(reader, res, req, replies)) return;
      if (this.#sender !== null && !this.#admits(this.#sender, res, req, replies)) return;
    }
    const { limiter } = this.#parts;
    if (limiter !== null && !limiter.tryAdmit()) {
      this.#refuseLimited(limiter, res, req, replies);
      return;
    }
    if (!this.#isAcceptedMediaType(req.getHeader(names.contentType))) {
      this.#refuse(res, req, replies, 'unsupportedMediaType', startedMs);
      return;
    }
    this.#takeHead(res, req, replies, null);
  };

  /** `POST` to `--path/batch`. How many orders a batch has is known with its body: the limits are asked then. */
  readonly answerBatch = (res: HttpReply, req: RequestHead): void => {
    this.#turnMs = performance.now();
    const names = this.#names;
    const replies = this.#parts.repliesTo(req);
    const reader = this.#parts.extras;
    if (reader !== null && !this.#isKnown(reader, res, req, replies)) return;
    const contentType = req.getHeader(names.contentType);
    const isAssumed = contentType === '' && this.#parts.options.allowNoContentType;
    const format = isAssumed ? 'array' : batchFormat(contentType);
    if (format === null) {
      this.#refuse(res, req, replies, 'unsupportedMediaType', this.#turnMs);
      return;
    }
    const handling = handlingOf(req.getHeader(names.prefer));
    const head = { format, handling, sender: reader === null ? null : this.#sender };
    this.#takeHead(res, req, replies, new BatchRun(head));
  };

  /** What orders and batches have in common. @param batch null for one order */
  #takeHead(res: HttpReply, req: RequestHead, replies: Replies, batch: BatchRun | null): void {
    const startedMs = this.#turnMs;
    const names = this.#names;
    const reader = this.#parts.extras;
    const coding = req.getHeader(names.contentEncoding);
    const isGzip = coding !== '' && isGzipCoding(coding);
    if (coding !== '' && !isGzip && !isIdentity(coding)) {
      this.#count(415, startedMs);
      this.#toExpecting(req, replies).codingRefused(res);
      return;
    }
    const extras = reader === null ? null : this.#readExtras(reader, res, req, replies);
    if (reader !== null && extras === null) return;
    const ownKey = req.getHeader(names.idempotencyKey);
    if (ownKey !== '' && !isIdempotencyKey(ownKey)) {
      this.#refuseInvalid(res, req, replies, 'idempotency-key');
      return;
    }
    const found = ownKey === '' && reader !== null ? reader.keyOf(req) : ownKey;
    // Of a batch, the key cannot be in an order.
    const key = batch !== null && found === KEY_IN_BODY ? '' : found;
    if (key === '' && reader !== null && reader.keySource !== '') {
      this.#refuseInvalid(res, req, replies, 'idempotency-from');
      return;
    }
    const expect = req.getHeader(names.expect);
    if (expect !== '' && this.#announcesTooMuch(req, batch)) {
      this.#refuse(res, req, replies, 'tooLarge', startedMs);
      return;
    }
    const reply = expect === '' ? res : this.#parts.engine.sendContinue(res, expect);
    this.#parts.slots.acquire().begin(reply, replies, startedMs, key, isGzip, extras, batch);
  }

  /** Only for a client that waits for the answer: the body of another tells soon enough, and each look at a header costs. */
  #announcesTooMuch(req: RequestHead, batch: BatchRun | null): boolean {
    const { batches, options } = this.#parts;
    const { bodyBytesMax } = batch === null ? options : batches;
    return Number(req.getHeader(this.#names.contentLength)) > bodyBytesMax;
  }

  #refuse(
    res: HttpReply,
    req: RequestHead,
    replies: Replies,
    name: AnswerName,
    startedMs: number,
  ): void {
    this.#count(answers[name].status, startedMs);
    this.#toExpecting(req, replies).send(res, name);
  }

  #refuseInvalid(res: HttpReply, req: RequestHead, replies: Replies, fault: string): void {
    this.#count(400, this.#turnMs);
    this.#toExpecting(req, replies).invalid(res, fault);
  }

  /** Finds out who sends. @returns false if the request was answered: its key is unknown */
  #isKnown(reader: ExtrasReader, res: HttpReply, req: RequestHead, replies: Replies): boolean {
    this.#sender = reader.senderOf(req);
    if (this.#sender !== null || !reader.hasKeys) return true;
    this.#count(401, this.#turnMs);
    this.#toExpecting(req, replies).unauthorized(res, 'Bearer', false);
    return false;
  }

  /** @returns false if the request was answered: the sender is over its limit */
  #admits({ limit }: Sender, res: HttpReply, req: RequestHead, replies: Replies): boolean {
    if (limit === null || limit.limiter.tryAdmit()) return true;
    const hit = { policy: 'key', quota: limit.rps, waitMs: limit.limiter.waitMs() } as const;
    this.#count(429, this.#turnMs);
    this.#toExpecting(req, replies).limited(res, 'rateLimited', hit);
    return false;
  }

  #refuseLimited(limiter: Limiter, res: HttpReply, req: RequestHead, replies: Replies): void {
    const { options } = this.#parts;
    const { limitStatus, rpsLimit } = options;
    if (limitStatus === '500') {
      this.#refuse(res, req, replies, 'serverKaput', this.#turnMs);
      return;
    }
    const name = limitStatus === '429' ? 'rateLimited' : 'busy';
    const hit = { policy: 'server', quota: rpsLimit, waitMs: limiter.waitMs() } as const;
    this.#count(answers[name].status, this.#turnMs);
    this.#toExpecting(req, replies).limited(res, name, hit);
  }

  /** Null if the request was answered: it is not signed, or has too much to keep. */
  #readExtras(
    reader: ExtrasReader,
    res: HttpReply,
    req: RequestHead,
    replies: Replies,
  ): RequestExtras | null {
    const extras = reader.read(req, this.#sender);
    if (extras === null) {
      this.#count(401, this.#turnMs);
      this.#toExpecting(req, replies).unauthorized(res, 'Signature', false);
      return null;
    }
    if (extras.kept.length <= KEPT_BYTES_MAX) return extras;
    this.#refuse(res, req, replies, 'headersTooLarge', this.#turnMs);
    return null;
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

  /** Before the answer is written: a client that has its answer finds it in the metrics. */
  #count(status: Status, startedMs: number): void {
    countRefusal(this.#parts.counts, status, startedMs);
    if (this.#sender !== null) this.#parts.extras!.count(this.#sender, status);
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
  readonly prefer: HeaderName;
}

function headerNames({ headerName }: EngineFactory): HeaderNames {
  return {
    contentType: headerName('content-type'),
    contentEncoding: headerName('content-encoding'),
    contentLength: headerName('content-length'),
    idempotencyKey: headerName('idempotency-key'),
    expect: headerName('expect'),
    prefer: headerName('prefer'),
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
