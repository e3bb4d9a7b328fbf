import { performance } from 'node:perf_hooks';
import { COUNTER, HISTOGRAM, responseCounter, type ThreadCounts } from '../metrics/count.js';
import type { Status } from '../model/answers.js';
import { type LineWithHeaders, NOTHING_KEPT } from '../model/kept-headers.js';
import type {
  BodyValidator,
  Committer,
  KeyedClient,
  KeyedIntake,
  OrderLine,
} from '../model/stages.js';
import type { BatchClient, BatchIntake } from './batch-intake.js';
import type { BatchAnswer, BatchRun } from './batch-run.js';
import type { BodyBuffers } from './body-buffers.js';
import type { FrameClock } from './frame-clock.js';
import type { HttpReply } from './http.js';
import { inflate, NOT_GZIP, TOO_LARGE } from './inflate.js';
import type { Replies } from './reply.js';
import type { ExtrasReader, RequestExtras } from './request-extras.js';

/** What the slots of one thread share. */
export interface SlotParts {
  readonly validator: BodyValidator;
  readonly committer: Committer;
  /** Takes orders with an idempotency key. */
  readonly keyed: KeyedIntake;
  readonly counts: ThreadCounts;
  readonly bodies: BodyBuffers;
  readonly frameClock: FrameClock;
  readonly lineWithHeaders: LineWithHeaders;
  readonly batches: BatchIntake;
  /** Of one order. */
  readonly bodyBytesMax: number;
  /** Null if no option about senders is on. */
  readonly extras: ExtrasReader | null;
  /** Takes back the slot of a finished request. */
  readonly release: (slot: RequestSlot) => void;
  /** Removes a slot that must not be used again. */
  readonly retire: (slot: RequestSlot) => void;
  /** True while the server stops: orders not accepted yet are refused. */
  readonly isStopping: () => boolean;
}

const ACCEPTED = responseCounter(200);

const FREE = 0;
/** The body is arriving. */
const READING = 1;
/** The order waits for its frame. */
const WAITING = 2;
/** Answered, but uWebSockets.js may still deliver body bytes. */
const ANSWERED_EARLY = 3;
/** The answer is being written; if its client does not read, the connection ends meanwhile. */
const ANSWERING = 4;

/**
 * The state of one request. Slots and their callbacks are reused, so that a request allocates no closure.
 *
 * uWebSockets.js keeps calling a response's `onData` after `end` while body bytes arrive, and no longer reports when
 * that connection closes. So a slot that answered before the last chunk is never reused: it stays ANSWERED_EARLY and is
 * left to the garbage collector.
 */
export class RequestSlot implements KeyedClient, BatchClient {
  /** Index in the pool. */
  poolIndex: number;
  readonly #parts: SlotParts;
  #state = FREE;
  /** Null once the client has disconnected: the response must not be used any more. */
  #res: HttpReply | null = null;
  #replies: Replies;
  #startedMs = 0;
  #body: Uint8Array | null = null;
  #bodyBytes = 0;
  /** Frame and position of the order once it has an id. */
  #frameId = '';
  #position = 0;
  /** The idempotency key; empty if the order has none. */
  #key = '';
  #isGzip = false;
  /** Null if no option about senders is on. */
  #extras: RequestExtras | null = null;
  /** Null if the body is one order. */
  #batch: BatchRun | null = null;

  /** @param replies any: each request sets its own */
  constructor(parts: SlotParts, poolIndex: number, replies: Replies) {
    this.#parts = parts;
    this.poolIndex = poolIndex;
    this.#replies = replies;
  }

  /** On the clock of `performance.now()`; valid while `isReading`. */
  get startedMs(): number {
    return this.#startedMs;
  }

  get isReading(): boolean {
    return this.#state === READING;
  }

  get isGone(): boolean {
    return this.#res === null;
  }

  get owner(): string {
    return this.#extras?.sender?.name ?? '';
  }

  get kept(): Uint8Array {
    return this.#extras?.kept ?? NOTHING_KEPT;
  }

  /**
   * @param key the idempotency key; empty if there is none
   * @param isGzip whether the body is to be inflated
   * @param batch null if the body is one order
   */
  begin(
    res: HttpReply,
    replies: Replies,
    startedMs: number,
    key: string,
    isGzip: boolean,
    extras: RequestExtras | null,
    batch: BatchRun | null,
  ): void {
    this.#state = READING;
    this.#batch = batch;
    this.#isGzip = isGzip;
    this.#extras = extras;
    this.#replies = replies;
    this.#key = key;
    this.#res = res;
    this.#startedMs = startedMs;
    res.onAborted(this.#onAborted);
    res.onData(this.#onData);
  }

  /** Calls `keep` while the body arrives. */
  keepReading(keep: (res: HttpReply) => void): void {
    if (this.#state === READING) keep(this.#res!);
  }

  /** Ends a request whose body takes too long. It gets no answer, because it is incomplete. */
  closeConnection(): void {
    this.#res?.close();
  }

  readonly #onAborted = (): void => {
    this.#res = null;
    this.#parts.counts.add(COUNTER.abortedRequests);
    if (this.#state === READING) this.#free();
    // The frame still refers to this slot. It is freed when the order is withdrawn, or when its frame is done.
    else if (this.#state === WAITING) this.#parts.committer.withdrawGone();
  };

  readonly #onData = (chunk: ArrayBuffer | Uint8Array, isLast: boolean): void => {
    if (this.#state !== READING) return;
    const bytes = this.#bodyBytes + chunk.byteLength;
    if (bytes > this.#bodyBytesMax) {
      this.#answerEarly(this.#writeTooLarge, 413, isLast);
      return;
    }
    if (isLast && this.#bodyBytes === 0) {
      this.#takeBody(new Uint8Array(chunk), bytes);
      return;
    }
    const body = this.#parts.bodies.grown(this.#body, this.#bodyBytes, bytes);
    if (body === null) {
      this.#parts.counts.add(COUNTER.bodiesRefused);
      this.#answerEarly(this.#writeBusy, 503, isLast);
      return;
    }
    // A chunk is only valid inside this callback.
    body.set(new Uint8Array(chunk), this.#bodyBytes);
    this.#body = body;
    this.#bodyBytes = bytes;
    if (isLast) this.#takeBody(body, bytes);
  };

  get #bodyBytesMax(): number {
    const { batches, bodyBytesMax } = this.#parts;
    return this.#batch === null ? bodyBytesMax : batches.bodyBytesMax;
  }

  /** The body is complete. What is signed are its bytes as they were sent. */
  #takeBody(bytes: Uint8Array, length: number): void {
    if (this.#extras !== null && !this.#isSigned(this.#extras, bytes, length)) return;
    if (this.#isGzip) this.#takeInflated(bytes.subarray(0, length));
    else this.#take(bytes, length);
  }

  #takeInflated(coded: Uint8Array): void {
    this.#parts.counts.add(COUNTER.gzipBodies);
    const bytes = inflate(coded, this.#bodyBytesMax);
    if (bytes === TOO_LARGE) this.#answerEarly(this.#writeTooLarge, 413, true);
    else if (bytes === NOT_GZIP) this.#answerInvalid(NOT_GZIP);
    else this.#take(bytes, bytes.length);
  }

  #take(bytes: Uint8Array, length: number): void {
    if (this.#batch !== null) {
      this.#takeBatch(this.#batch, bytes, length);
      return;
    }
    if (this.#key !== '') {
      this.#takeKeyed(bytes, length);
      return;
    }
    const { validator, committer, isStopping } = this.#parts;
    if (!validator.validate(bytes, 0, length)) {
      this.#answerInvalid(validator.fault);
      return;
    }
    // Before `take`, so that the slot is ready for the callback.
    this.#state = WAITING;
    if (isStopping() || !committer.take(this.#lineOf(validator), this)) {
      this.#state = ANSWERING;
      this.#count(503);
      this.#replies.busy(this.#res!);
      this.#free();
      return;
    }
    this.#dropBody();
  }

  #isSigned(extras: RequestExtras, bytes: Uint8Array, length: number): boolean {
    if (this.#parts.extras!.isSigned(extras, bytes.subarray(0, length))) return true;
    this.#state = ANSWERING;
    this.#count(401);
    this.#replies.unauthorized(this.#res!, 'Signature', false);
    this.#free();
    return false;
  }

  #lineOf(order: OrderLine): OrderLine {
    return this.#extras === null ? order : this.#parts.lineWithHeaders.of(order, this.#extras.kept);
  }

  #takeKeyed(bytes: Uint8Array, length: number): void {
    const { keyed } = this.#parts;
    // Before `take`, which may answer before it returns.
    this.#state = WAITING;
    const fault = keyed.take(this.#key, bytes, length, this);
    if (fault !== '') {
      this.#answerInvalid(fault);
    } else if (this.#state === WAITING) {
      this.#dropBody();
    }
  }

  #takeBatch(run: BatchRun, bytes: Uint8Array, length: number): void {
    const { batches, isStopping } = this.#parts;
    // Before `take`, which may answer before it returns.
    this.#state = WAITING;
    if (isStopping()) {
      this.refused();
      return;
    }
    const answer = batches.take(run, this.#key, bytes, length, this);
    if (answer !== null) this.#answerBatch(answer);
    else if (this.#state === WAITING) this.#dropBody();
  }

  accepted(frameId: string, index: number): void {
    if (this.#batch !== null) {
      this.#answerBatch(this.#batch.created(frameId, index, false));
      return;
    }
    this.#frameId = frameId;
    this.#position = index;
    if (this.#res === null) {
      this.#free();
      return;
    }
    this.#state = ANSWERING;
    const { counts, frameClock } = this.#parts;
    counts.add(ACCEPTED);
    if (this.#extras !== null) this.#parts.extras!.count(this.#extras.sender, 200);
    counts.observe(HISTOGRAM.requestSeconds, (frameClock.at(frameId) - this.#startedMs) / 1000);
    this.#res.cork(this.#writeCreated);
    this.#free();
  }

  refused(): void {
    this.#answerLater(this.#writeBusy, 503);
  }

  acceptedInPart(frameId: string, index: number, failed: readonly number[]): void {
    this.#answerBatch(this.#batch!.createdInPart(frameId, index, failed));
  }

  replayed(frameId: string, index: number): void {
    if (this.#batch !== null) {
      this.#answerBatch(this.#batch.created(frameId, index, true));
      return;
    }
    this.#frameId = frameId;
    this.#position = index;
    this.#answerLater(this.#writeReplayed, 200);
  }

  keyReused(): void {
    this.#answerLater(this.#writeKeyReused, 422);
  }

  /** The connection ends without an answer: neither a 200 nor a 503 would be certain to be true. */
  ambiguous(): void {
    this.#res?.close();
    this.#free();
  }

  readonly #writeCreated = (): void => {
    this.#replies.created(this.#res!, this.#frameId, this.#position);
  };

  readonly #writeTooLarge = (): void => {
    if (this.#batch === null) this.#replies.send(this.#res!, 'tooLarge');
    else this.#parts.batches.tooLarge(this.#batch).write(this.#res!, this.#replies);
  };

  readonly #writeBusy = (): void => {
    this.#replies.busy(this.#res!);
  };

  readonly #writeReplayed = (): void => {
    this.#replies.replayed(this.#res!, this.#frameId, this.#position);
  };

  readonly #writeKeyReused = (): void => {
    this.#replies.send(this.#res!, 'keyReused');
  };

  /** Outside the callbacks of uWebSockets.js an answer must be corked. The client may have disconnected by then. */
  #answerLater(write: () => void, status: Status): void {
    if (this.#res === null) {
      this.#free();
      return;
    }
    this.#state = ANSWERING;
    this.#count(status);
    this.#res.cork(write);
    this.#free();
  }

  #answerBatch({ write, status }: BatchAnswer): void {
    this.#answerLater(() => write(this.#res!, this.#replies), status);
  }

  #answerInvalid(fault: string): void {
    this.#state = ANSWERING;
    this.#count(400);
    this.#replies.invalid(this.#res!, fault);
    this.#free();
  }

  /** Answers although the body may not be complete: what follows of it is discarded. */
  #answerEarly(write: () => void, status: Status, isLast: boolean): void {
    this.#state = ANSWERING;
    this.#count(status);
    write();
    if (isLast) {
      this.#free();
      return;
    }
    this.#res = null;
    this.#dropBody();
    this.#state = ANSWERED_EARLY;
    this.#parts.retire(this);
  }

  /** Before the answer is written: a client that has its answer finds it in the metrics. */
  #count(status: Status): void {
    const { counts } = this.#parts;
    counts.add(responseCounter(status));
    if (this.#extras !== null) this.#parts.extras!.count(this.#extras.sender, status);
    counts.observe(HISTOGRAM.requestSeconds, (performance.now() - this.#startedMs) / 1000);
  }

  #free(): void {
    this.#res = null;
    this.#extras = null;
    this.#batch = null;
    this.#dropBody();
    this.#state = FREE;
    this.#parts.release(this);
  }

  #dropBody(): void {
    this.#bodyBytes = 0;
    if (this.#body === null) return;
    this.#parts.bodies.giveBack(this.#body);
    this.#body = null;
  }
}
