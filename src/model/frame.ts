/**
 * Orders that become durable together: one NATS message, or one local record.
 *
 * `payload` is NDJSON: `count` compact orders, each ended by `\n`.
 * Order `i` of a fresh frame has the id `<id>-<i>`. A refiled frame (a retry, or what an ordered shutdown left
 * undone) has an id of its own, and its orders keep their ids: `<refiled.origin>-<refiled.indexes[i]>`.
 */
export interface Frame {
  /** 26 characters that sort by time (see commit/frame-id.ts). Also the `Nats-Msg-Id`. */
  readonly id: string;
  readonly count: number;
  readonly payload: Uint8Array;
  /** When its first order was accepted; epoch milliseconds. */
  readonly acceptedAtMs: number;
  /** The current attempt of its orders; 1 for a fresh frame. */
  readonly attempt: number;
  /** The earliest time of delivery, epoch milliseconds; 0 for at once. */
  readonly notBeforeMs: number;
  readonly refiled: Refiled | null;
  /**
   * How many processes have died with its order in progress; absent for none. Such a frame has one order, which runs
   * while no other order is in progress.
   */
  readonly crashes?: number;
  /**
   * Digest of the JSON Schema that its orders were valid against: 16 hexadecimal digits. Absent where it is not known, as in
   * frames of earlier versions.
   */
  readonly schema?: string;
  /** Idempotency keys of its orders, by ascending position; empty for a refiled frame. */
  readonly keys: readonly KeyedOrder[];
}

/** An order whose client sent an idempotency key. */
export interface KeyedOrder {
  readonly position: number;
  /** 1 to 64 visible ASCII characters. */
  readonly key: string;
  /** Hash of the compact order without its line feed, 16 hexadecimal digits: detects a different body with the same key. */
  readonly digest: string;
}

/** A key whose order is durable. */
export interface StoredKey extends KeyedOrder {
  readonly frameId: string;
  /** When its frame was accepted; epoch milliseconds. */
  readonly acceptedAtMs: number;
}

export interface Refiled {
  readonly origin: string;
  /** Index of each order in the frame `origin`; `count` items. */
  readonly indexes: readonly number[];
}

const SCHEMA_DIGEST = /^[0-9a-f]{16}$/;

/** The member `schema` of a frame or a dead letter, from a text that was read; nothing unless it is a digest. */
export function schemaMember(text: unknown): { readonly schema?: string } {
  return typeof text === 'string' && SCHEMA_DIGEST.test(text) ? { schema: text } : {};
}

/** The id of order `position` of a frame. */
export function orderId(frame: Pick<Frame, 'id' | 'refiled'>, position: number): string {
  return frame.refiled === null
    ? `${frame.id}-${position}`
    : `${frame.refiled.origin}-${frame.refiled.indexes[position]}`;
}

/** The options that limit a frame. */
export interface FrameBounds {
  readonly frameBytesMax: number;
  readonly frameOrdersMax: number;
}

/** The headers of every frame in JetStream: 200 bytes, and room for later versions. */
const HEADER_BYTES = 1024;
/** A refiled frame has a header with the index of each order: up to four digits and a comma. */
const INDEX_BYTES = 5;

/**
 * The longest JetStream message of a frame. Keys count towards `frameBytesMax`, and a refiled frame is no longer than
 * its origin, except for the indexes of its orders.
 */
export function messageBytesMax({ frameBytesMax, frameOrdersMax }: FrameBounds): number {
  return frameBytesMax + HEADER_BYTES + INDEX_BYTES * frameOrdersMax;
}

/** Crockford's base 32, the alphabet of ULID: sorts by value, has no look-alikes. */
export const FRAME_ID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A frame id begins with its time of creation, in so many characters. */
const TIME_CHARS = 10;

/** The first characters of all frame ids of that millisecond; sorts before these ids. */
export function frameTime(epochMs: number): string {
  return base32(epochMs, TIME_CHARS);
}

/** When the frame was created, epoch milliseconds; NaN when `frameId` does not begin with a time. */
export function frameTimeMs(frameId: string): number {
  let value = 0;
  for (let i = 0; i < TIME_CHARS; i++) {
    const digit = FRAME_ID_ALPHABET.indexOf(frameId[i] ?? '-');
    if (digit < 0) return Number.NaN;
    value = value * 32 + digit;
  }
  return value;
}

/** An integer of up to 53 bits in `chars` characters, padded with zeros. */
export function base32(value: number, chars: number): string {
  let text = '';
  for (let i = 0; i < chars; i++) {
    text = FRAME_ID_ALPHABET[value % 32] + text;
    value = Math.floor(value / 32);
  }
  return text;
}
