import type { NatsConnection } from '@nats-io/transport-node';
import type { Frame } from '../../model/frame.js';
import { untilDueMs } from '../frame/refile.js';
import { readFrame } from '../nats/headers.js';
import type { AckableMessage } from '../nats/message.js';
import type { ForeignMessages } from './foreign-messages.js';

/**
 * The frames that were delivered and are not settled yet, by frame id. A message that comes again meanwhile
 * (the server was restarted, the frame was stored twice) is told apart here; one that comes again
 * later, or to another process, by the ledger.
 */
export class DeliveredFrames {
  readonly #retryMsMax: number;
  readonly #foreign: ForeignMessages;
  /** The messages that carry each frame, by their place in the stream: the newest delivery of each. */
  readonly #messages = new Map<string, Map<number, AckableMessage>>();

  /** @param retryMsMax the longest that a retry is put off; milliseconds */
  constructor(retryMsMax: number, foreign: ForeignMessages) {
    this.#retryMsMax = retryMsMax;
    this.#foreign = foreign;
  }

  /** The frame to deliver, or null when the message has been dealt with. */
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
      known.set(message.seq, message);
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

  /** Whether that very message of the frame is in hand. */
  has(frameId: string, seq: number): boolean {
    return this.#messages.get(frameId)?.has(seq) ?? false;
  }

  /** The frame has been settled: its messages are no longer of interest. */
  settled(frameId: string): void {
    this.#messages.delete(frameId);
  }

  /** The frame was settled before: its messages are to leave the stream. */
  drop(frameId: string, nc: NatsConnection | null): void {
    if (nc !== null) for (const message of this.messages(frameId)) message.ack(nc);
    this.#messages.delete(frameId);
  }

  /** Gives the frame back to the server, due in so many milliseconds. */
  release(frameId: string, nc: NatsConnection | null, delayMs = 0): void {
    if (nc !== null) for (const message of this.messages(frameId)) message.nak(nc, delayMs);
    this.#messages.delete(frameId);
  }

  ids(): string[] {
    return [...this.#messages.keys()];
  }

  releaseAll(nc: NatsConnection): void {
    for (const frameId of this.ids()) this.release(frameId, nc);
  }

  /** To be called well within ack_wait: a paced frame can be in hand for minutes. */
  keepAlive(nc: NatsConnection): void {
    for (const messages of this.#messages.values()) {
      for (const message of messages.values()) message.keepAlive(nc);
    }
    this.#foreign.keepAlive(nc);
  }
}
/** This process's hold on a frame that was delivered. */
export interface Claim {
  /** Another process has the frame now. */
  readonly isLost: boolean;
}

/** The frames that were delivered and are neither settled, put back nor lost. */
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

  /** Ends the holds on all frames that are not this process's any more; returns their ids. */
  lose(isOurs: (frameId: string) => boolean): string[] {
    const lost = [...this.#claims.keys()].filter((frameId) => !isOurs(frameId));
    for (const frameId of lost) {
      this.#claims.get(frameId)!.isLost = true;
      this.#claims.delete(frameId);
    }
    return lost;
  }
}
