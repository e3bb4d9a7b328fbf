import type { NatsConnection } from '@nats-io/transport-node';
import type { Frame } from '../contract/frame.js';
import { readFrame } from './jetstream-headers.js';
import type { StreamMessage } from './jetstream-message.js';

/** Frames settled lately whose message may still come again: an ack was lost, or stored twice. */
const SETTLED_IDS_MAX = 16_384;

/**
 * The frames that were delivered and are not settled yet, by frame id. A message that comes again
 * (its ack was lost, the server was restarted, the frame was stored twice) is told apart here, so
 * that a frame is delivered once by this process.
 */
export class FramesInHand {
  readonly #log: (line: string) => void;
  /** The messages that carry each frame, by their place in the stream: the newest delivery of each. */
  readonly #messages = new Map<string, Map<number, StreamMessage>>();
  readonly #unreadable = new Map<number, StreamMessage>();
  readonly #settledIds = new Set<string>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** The frame to deliver, or null when the message has been dealt with. */
  admit(message: StreamMessage, nc: NatsConnection): Frame | null {
    let frame: Frame;
    try {
      frame = readFrame(message);
    } catch (error) {
      // Kept out of the way but in the stream, where whoever can read it finds it.
      if (!this.#unreadable.has(message.seq)) this.#log((error as Error).message);
      this.#unreadable.set(message.seq, message);
      return null;
    }
    const known = this.#messages.get(frame.id);
    if (known !== undefined) {
      known.set(message.seq, message);
      return null;
    }
    if (this.#settledIds.has(frame.id)) {
      message.ack(nc);
      return null;
    }
    const waitMs = frame.notBeforeMs - Date.now();
    if (waitMs > 0) {
      message.nak(nc, waitMs);
      return null;
    }
    this.#messages.set(frame.id, new Map([[message.seq, message]]));
    return frame;
  }

  messages(frameId: string): StreamMessage[] {
    return [...(this.#messages.get(frameId)?.values() ?? [])];
  }

  settled(frameId: string): void {
    this.#messages.delete(frameId);
    this.#settledIds.add(frameId);
    if (this.#settledIds.size > SETTLED_IDS_MAX) {
      // A set keeps the order of insertion, so its first is the oldest.
      for (const oldest of this.#settledIds) {
        this.#settledIds.delete(oldest);
        break;
      }
    }
  }

  /** Gives the frame back to the server, due at once. */
  release(frameId: string, nc: NatsConnection | null): void {
    if (nc !== null) for (const message of this.messages(frameId)) message.nak(nc, 0);
    this.#messages.delete(frameId);
  }

  releaseAll(nc: NatsConnection): void {
    for (const frameId of [...this.#messages.keys()]) this.release(frameId, nc);
  }

  /** To be called well within ack_wait: a paced frame can be in hand for minutes. */
  keepAlive(nc: NatsConnection): void {
    for (const messages of this.#messages.values()) {
      for (const message of messages.values()) message.keepAlive(nc);
    }
    for (const message of this.#unreadable.values()) message.keepAlive(nc);
  }
}
