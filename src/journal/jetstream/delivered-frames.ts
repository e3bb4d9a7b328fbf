import type { NatsConnection } from '@nats-io/transport-node';
import type { Frame } from '../../model/frame.js';
import { untilDueMs } from '../frame/refile.js';
import { readFrame } from '../nats/headers.js';
import type { AckableMessage } from '../nats/message.js';
import type { ForeignMessages } from './foreign-messages.js';

/**
 * The frames that were delivered and are not settled yet, by frame id. A message that is delivered again meanwhile
 * (the server was restarted, or the frame was stored twice) is detected here; one that is delivered later, or to
 * another process, is detected by the ledger.
 */
export class DeliveredFrames {
  readonly #retryMsMax: number;
  readonly #foreign: ForeignMessages;
  /** The messages of each frame by their sequence number: the newest delivery of each. */
  readonly #messages = new Map<string, Map<number, AckableMessage>>();

  /** @param retryMsMax the longest that a retry is delayed; milliseconds */
  constructor(retryMsMax: number, foreign: ForeignMessages) {
    this.#retryMsMax = retryMsMax;
    this.#foreign = foreign;
  }

  /** The frame to deliver, or null when the message needs no more processing. */
  admit(message: AckableMessage, nc: NatsConnection): Frame | null {
    let frame: Frame;
    try {
      frame = readFrame(message);
    } catch (error) {
      this.#foreign.take(message, (error as Error).message);
      return null;
    }
    const known = this.#messages.get(frame.id);
    if (known !== undefined) {
      const [first] = known.values();
      if (isSame(first!, message)) known.set(message.seq, message);
      else this.#foreign.take(message, `frame ${frame.id} is already here with other orders`);
      return null;
    }
    const waitMs = untilDueMs(frame.notBeforeMs, Date.now(), this.#retryMsMax);
    if (waitMs > 0) {
      message.nak(nc, waitMs);
      return null;
    }
    this.#messages.set(frame.id, new Map([[message.seq, message]]));
    return frame;
  }

  messages(frameId: string): AckableMessage[] {
    return [...(this.#messages.get(frameId)?.values() ?? [])];
  }

  /** Whether this message of the frame was delivered. */
  has(frameId: string, seq: number): boolean {
    return this.#messages.get(frameId)?.has(seq) ?? false;
  }

  /** The frame was settled and its messages acknowledged. */
  settled(frameId: string): void {
    this.#messages.delete(frameId);
  }

  /** The frame was settled before: its messages must leave the stream. */
  drop(frameId: string, nc: NatsConnection | null): void {
    if (nc !== null) for (const message of this.messages(frameId)) message.ack(nc);
    this.#messages.delete(frameId);
  }

  /** Returns the frame to the server, due in `delayMs`. */
  release(frameId: string, nc: NatsConnection | null, delayMs = 0): void {
    if (nc !== null) for (const message of this.messages(frameId)) message.nak(nc, delayMs);
    this.#messages.delete(frameId);
  }

  /** Numbers of all messages. */
  seqs(): number[] {
    return [...this.#messages.values()].flatMap((messages) => [...messages.keys()]);
  }

  ids(): string[] {
    return [...this.#messages.keys()];
  }

  releaseAll(nc: NatsConnection): void {
    for (const frameId of this.ids()) this.release(frameId, nc);
  }

  /** To be called well within ack_wait: with a drain rate, a frame can wait for minutes. */
  keepAlive(nc: NatsConnection): void {
    for (const messages of this.#messages.values()) {
      for (const message of messages.values()) message.keepAlive(nc);
    }
    this.#foreign.keepAlive(nc);
  }
}

/** Another program may store another frame under the same id. */
function isSame(one: AckableMessage, other: AckableMessage): boolean {
  return Buffer.compare(one.payload, other.payload) === 0;
}

/** This process's claim on a frame that was delivered. */
export interface Claim {
  /** Another process has claimed the frame since. */
  readonly isLost: boolean;
}

/** The claims on frames that were delivered and are neither settled nor released. */
export class FrameClaims {
  readonly #claims = new Map<string, { isLost: boolean }>();

  begin(frameId: string): Claim {
    const claim = { isLost: false };
    this.#claims.set(frameId, claim);
    return claim;
  }

  end(frameId: string): void {
    this.#claims.delete(frameId);
  }

  /** Ends the claims that this process has lost; returns their frame ids. */
  dropLost(isOurs: (frameId: string) => boolean): string[] {
    const lost = [...this.#claims.keys()].filter((frameId) => !isOurs(frameId));
    for (const frameId of lost) {
      this.#claims.get(frameId)!.isLost = true;
      this.#claims.delete(frameId);
    }
    return lost;
  }
}
