import type { HttpResponse } from 'uWebSockets.js';
import { performance } from 'node:perf_hooks';
import { COUNTER, HISTOGRAM, responseCounter, type ThreadCounts } from '../metrics/count.js';
import { type Answer, answers, type Status } from '../model/answers.js';
import type { BodyValidator, Committer, KeyedClient, KeyedIntake } from '../model/stages.js';
import type { BodyBuffers } from './body-buffers.js';
import type { CreatedReply } from './created-reply.js';
import { reply, replyBusy, replyInvalid } from './reply.js';

/** What a request needs on its way from the socket to the open frame; one for each thread. */
export interface OrderPath {
  readonly validator: BodyValidator;
  readonly committer: Committer;
  /** The way for orders with an idempotency key. */
  readonly keyed: KeyedIntake;
  readonly counts: ThreadCounts;
  readonly bodies: BodyBuffers;
  readonly created: CreatedReply;
  readonly bodyBytesMax: number;
  /** Takes back a slot whose request is over. */
  readonly release: (slot: RequestSlot) => void;
  /** Forgets a slot that must not be used again. */
  readonly retire: (slot: RequestSlot) => void;
  /** True while the server stops: what is not accepted yet is refused, and its connection ends. */
  readonly isStopping: () => boolean;
}

/** Reading the body; waiting for the frame; answered, but uWebSockets.js may still bring body bytes; free. */
const FREE = 0;
const READING = 1;
const WAITING = 2;
const ANSWERED_EARLY = 3;

/**
 * The state of one request, used again and again. The callbacks are made once, here, so that a
 * request allocates no closure.
 *
 * uWebSockets.js keeps calling a response's `onData` after `end` while body bytes arrive, and no
 * longer says when that connection dies. So a slot that answered before its last chunk is never
 * used again: it stays ANSWERED_EARLY and is left to the garbage collector.
 */
export class RequestSlot implements KeyedClient {
  /** Where the pool keeps it. */
  place: number;
  readonly #path: OrderPath;
  #state = FREE;
  /** Null once the client went away: the response must not be touched any more. */
  #res: HttpResponse | null = null;
  #startedMs = 0;
  #body: Uint8Array | null = null;
  #bodyBytes = 0;
  /** Of the order, once it has an id. */
  #frameId = '';
  #position = 0;
  /** The idempotency key; empty when the order has none. */
  #key = '';

  constructor(path: OrderPath, place: number) {
    this.#path = path;
    this.place = place;
  }

  /** Milliseconds on the clock of `performance.now()`; meaningful while `isReading`. */
  get startedMs(): number {
    return this.#startedMs;
  }

  get isReading(): boolean {
    return this.#state === READING;
  }

  get isGone(): boolean {
    return this.#res === null;
  }

  /** @param key the idempotency key; empty when there is none */
  begin(res: HttpResponse, startedMs: number, key: string): void {
    this.#state = READING;
    this.#key = key;
    this.#res = res;
    this.#startedMs = startedMs;
    res.onAborted(this.#onAborted);
    res.onData(this.#onData);
  }

  /** Ends a request whose body takes too long. The client gets no answer: it never finished asking. */
  cutOff(): void {
    this.#res?.close();
  }

  readonly #onAborted = (): void => {
    this.#res = null;
    this.#path.counts.add(COUNTER.abortedRequests);
    // While WAITING the frame still holds this slot; it is freed when the frame is done.
    if (this.#state === READING) this.#free();
  };

  readonly #onData = (chunk: ArrayBuffer, isLast: boolean): void => {
    if (this.#state !== READING) return;
    if (isLast && this.#bodyBytes === 0) {
      if (chunk.byteLength > this.#path.bodyBytesMax) this.#answer(answers.tooLarge);
      else this.#take(new Uint8Array(chunk), chunk.byteLength);
      return;
    }
    if (this.#bodyBytes + chunk.byteLength > this.#path.bodyBytesMax) {
      this.#answerTooLargeSoFar(isLast);
      return;
    }
    this.#body ??= this.#path.bodies.take();
    // A chunk is only valid inside this callback.
    this.#body.set(new Uint8Array(chunk), this.#bodyBytes);
    this.#bodyBytes += chunk.byteLength;
    if (isLast) this.#take(this.#body, this.#bodyBytes);
  };

  #take(bytes: Uint8Array, length: number): void {
    if (this.#key !== '') {
      this.#takeKeyed(bytes, length);
      return;
    }
    const { validator, committer, isStopping } = this.#path;
    const fault = validator.validate(bytes, 0, length);
    if (fault !== 0) {
      replyInvalid(this.#res!, validator.faultText(fault));
      this.#finish(400);
      return;
    }
    // Before `take`, which may only call back later, but must find the slot ready for that.
    this.#state = WAITING;
    if (isStopping() || !committer.take(validator, this)) {
      replyBusy(this.#res!, isStopping());
      this.#finish(503);
      return;
    }
    this.#dropBody();
  }

  #takeKeyed(bytes: Uint8Array, length: number): void {
    const { validator, keyed } = this.#path;
    // Before `take`, which may answer at once.
    this.#state = WAITING;
    const fault = keyed.take(this.#key, bytes, length, this);
    if (fault !== 0) {
      replyInvalid(this.#res!, validator.faultText(fault));
      this.#finish(400);
    } else if (this.#state === WAITING) {
      this.#dropBody();
    }
  }

  accepted(frameId: string, index: number): void {
    this.#frameId = frameId;
    this.#position = index;
    this.#answerLater(this.#writeCreated, 200);
  }

  refused(): void {
    this.#answerLater(this.#writeBusy, 503);
  }

  replayed(frameId: string, index: number): void {
    this.#frameId = frameId;
    this.#position = index;
    this.#answerLater(this.#writeReplayed, 200);
  }

  keyReused(): void {
    this.#answerLater(this.#writeKeyReused, 422);
  }

  /** The connection ends without an answer: a 200 or a 503 would each claim more than is known. */
  ambiguous(): void {
    this.#res?.close();
    this.#free();
  }

  readonly #writeCreated = (): void => {
    this.#path.created.write(this.#res!, this.#frameId, this.#position);
  };

  readonly #writeBusy = (): void => {
    replyBusy(this.#res!, this.#path.isStopping());
  };

  readonly #writeReplayed = (): void => {
    this.#path.created.writeReplayed(this.#res!, this.#frameId, this.#position);
  };

  readonly #writeKeyReused = (): void => {
    reply(this.#res!, answers.keyReused);
  };

  /** Outside uWebSockets.js's own callbacks an answer must be corked; the client may be gone by then. */
  #answerLater(write: () => void, status: Status): void {
    if (this.#res === null) {
      this.#free();
      return;
    }
    this.#res.cork(write);
    this.#finish(status);
  }

  #answer(answer: Answer): void {
    reply(this.#res!, answer);
    this.#finish(answer.status);
  }

  #answerTooLargeSoFar(isLast: boolean): void {
    if (isLast) {
      this.#answer(answers.tooLarge);
      return;
    }
    reply(this.#res!, answers.tooLarge);
    this.#count(413);
    this.#res = null;
    this.#dropBody();
    this.#state = ANSWERED_EARLY;
    this.#path.retire(this);
  }

  #finish(status: Status): void {
    this.#count(status);
    this.#free();
  }

  #count(status: Status): void {
    const { counts } = this.#path;
    counts.add(responseCounter(status));
    counts.observe(HISTOGRAM.requestSeconds, (performance.now() - this.#startedMs) / 1000);
  }

  #free(): void {
    this.#res = null;
    this.#dropBody();
    this.#state = FREE;
    this.#path.release(this);
  }

  #dropBody(): void {
    this.#bodyBytes = 0;
    if (this.#body === null) return;
    this.#path.bodies.giveBack(this.#body);
    this.#body = null;
  }
}
