import type { StoredMsg } from '@nats-io/jetstream';
import { storedHeaders } from '../nats/message.js';

/** What the file store of nats-server adds to subject, headers and data: fileStoreMsgSize of server/filestore.go. */
const RECORD_BYTES = 34;
/** The version line of the headers and the empty line at their end. */
const HEADERS_BYTES = 14;
/** Of `name: value` and a line break. */
const HEADER_BYTES = 4;

/** The weight of what was seen before, against the next message. */
const MEMORY = 0.9;

/**
 * How many orders a stream has, by its bytes: frames differ in size by a factor of a thousand, but the bytes of an order
 * and those around the orders of a frame hardly do. Learned from some messages.
 */
export class OrderSizes {
  #orders = 0;
  #orderBytes = 0;
  #messages = 0;
  #otherBytes = 0;

  /** @param orders of this message */
  learn(message: StoredMsg, orders: number): void {
    let otherBytes = RECORD_BYTES + HEADERS_BYTES + message.subject.length;
    for (const [name, values] of storedHeaders(message)) {
      for (const value of values) otherBytes += name.length + value.length + HEADER_BYTES;
    }
    this.#orders = this.#orders * MEMORY + orders;
    this.#orderBytes = this.#orderBytes * MEMORY + message.data.length;
    this.#messages = this.#messages * MEMORY + 1;
    this.#otherBytes = this.#otherBytes * MEMORY + otherBytes;
  }

  /** Null before anything was learned. */
  ordersIn(messages: number, bytes: number): number | null {
    if (this.#orderBytes === 0) return null;
    const ofOrders = bytes - (messages * this.#otherBytes) / this.#messages;
    return Math.max(messages, (ofOrders * this.#orders) / this.#orderBytes);
  }
}
