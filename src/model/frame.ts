/**
 * The orders that are made durable together: one NATS message, or one local record.
 *
 * `payload` is NDJSON: `count` compact orders, each ended by `\n`.
 * Order `i` of a fresh frame has the id `<id>-<i>`. A frame that was filed again (a retry, or what an
 * ordered shutdown left undone) has an id of its own; its orders keep the ids they were accepted
 * under: `<refiled.origin>-<refiled.indexes[i]>`.
 */
export interface Frame {
  /** 26 characters that sort by time (see commit/frame-id.ts). Also the `Nats-Msg-Id`. */
  readonly id: string;
  readonly count: number;
  readonly payload: Uint8Array;
  /** Epoch milliseconds at which its first order was accepted. */
  readonly acceptedAtMs: number;
  /** The attempt its orders are at; 1 for a fresh frame. */
  readonly attempt: number;
  /** Epoch milliseconds before which it must not be delivered; 0 for at once. */
  readonly notBeforeMs: number;
  readonly refiled: Refiled | null;
  /** The idempotency keys its clients sent, by ascending position; empty for a frame filed again. */
  readonly keys: readonly KeyedOrder[];
}

/** An order whose client sent an idempotency key. */
export interface KeyedOrder {
  readonly position: number;
  /** 1 to 64 visible ASCII characters. */
  readonly key: string;
  /** Of the compact order without its line end, 16 hexadecimal digits: tells another body under the same key. */
  readonly digest: string;
}

/** A key whose order is durable. */
export interface StoredKey extends KeyedOrder {
  readonly frameId: string;
  /** Epoch milliseconds at which its frame was accepted. */
  readonly acceptedAtMs: number;
}

export interface Refiled {
  readonly origin: string;
  /** Where each order stood in the frame `origin`; as long as the frame's `count`. */
  readonly indexes: readonly number[];
}

/** The id of order `position` of a frame. */
export function orderId(frame: Pick<Frame, 'id' | 'refiled'>, position: number): string {
  return frame.refiled === null
    ? `${frame.id}-${position}`
    : `${frame.refiled.origin}-${frame.refiled.indexes[position]}`;
}

/** Of the options, what bounds a frame. */
export interface FrameBounds {
  readonly frameBytesMax: number;
  readonly frameOrdersMax: number;
}

/** The headers that every frame has in JetStream: 200 bytes, and what later versions may add. */
const HEADER_BYTES = 1024;
/** Of a frame that is filed again, a header has the place of each order: four digits, for at most 10,000, and a comma. */
const INDEX_BYTES = 5;

/**
 * The longest message that a frame can become in JetStream. Keys count among `frameBytesMax`, and a frame filed again is
 * no longer than the one that it comes from, save for the places of its orders.
 */
export function messageBytesMax({ frameBytesMax, frameOrdersMax }: FrameBounds): number {
  return frameBytesMax + HEADER_BYTES + INDEX_BYTES * frameOrdersMax;
}

/** Crockford's base 32, the alphabet of ULID: sorts as it counts, has no look-alikes. */
export const FRAME_ID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A frame id begins with so many characters that tell when it was made. */
const TIME_CHARS = 10;

/** What the ids of frames made in that millisecond begin with, and so a string that sorts before them. */
export function frameTime(epochMs: number): string {
  return base32(epochMs, TIME_CHARS);
}

/** When the frame was made, epoch milliseconds; NaN when `frameId` does not begin with a time. */
export function frameTimeMs(frameId: string): number {
  let value = 0;
  for (let i = 0; i < TIME_CHARS; i++) {
    const digit = FRAME_ID_ALPHABET.indexOf(frameId[i] ?? '-');
    if (digit < 0) return Number.NaN;
    value = value * 32 + digit;
  }
  return value;
}

/** A whole number of up to 53 bits in so many characters, padded with zeros. */
export function base32(value: number, chars: number): string {
  let text = '';
  for (let i = 0; i < chars; i++) {
    text = FRAME_ID_ALPHABET[value % 32] + text;
    value = Math.floor(value / 32);
  }
  return text;
}
