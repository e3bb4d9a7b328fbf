import { crc32 } from 'node:zlib';
import { GENERATION_BYTES, type Generation } from './generation.js';

/** Records begin at multiples of this, so that no page with a durable record is ever written again. */
export const PAGE_BYTES = 4096;

/**
 * Head of a record, little endian: magic (4 bytes), CRC-32 of all that follows (4), generation of the segment (8),
 * position in it (4), length of the key (2), flags (2), length of the value (4). Then key and value.
 */
export const HEAD_BYTES = 28;
const MAGIC = 0x314c4246;
const CRC_FROM = 8;
const GENERATION_AT = 8;
const POSITION_AT = 16;
const KEY_BYTES_AT = 20;
const FLAGS_AT = 22;
const VALUE_BYTES_AT = 24;

/** The frame has idempotency keys, which are stored in a table of their own. */
const FLAG_KEYED = 1;
/** The segment was never used before, so everything behind its records is zero. */
const FLAG_FIRST_USE = 2;
/** The rest of the flags is `LogUse.durable`, in pages. Older versions wrote 0, which says nothing. */
const DURABLE_SHIFT = 2;

/** A frame as it is written to the log. The value of its record is the header, then the payload. */
export interface LogRow {
  readonly key: Uint8Array;
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  readonly isKeyed: boolean;
}

/** What a record says about its segment. */
export interface LogUse {
  readonly isFirstUse: boolean;
  /**
   * All records before this position were durable when the record was written. So an incomplete one among them was
   * damaged later; any other may be a write that a crash interrupted.
   */
  readonly durable: number;
}

/** A complete record that was read; key and value are views. */
export interface LogRecord extends LogUse {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly isKeyed: boolean;
  readonly position: number;
  /** Length of the record. */
  readonly bytes: number;
  /** Where the next record begins. */
  readonly end: number;
}

export function recordBytes({ key, header, payload }: LogRow): number {
  return HEAD_BYTES + key.length + header.length + payload.length;
}

/** Where the record after one of this length begins. */
export function nextPosition(position: number, bytes: number): number {
  return Math.ceil((position + bytes) / PAGE_BYTES) * PAGE_BYTES;
}

const UNKNOWN_USE: LogUse = { isFirstUse: false, durable: 0 };

/** All of a record except the payload, which is written from where it is. */
export function recordHead(
  row: LogRow,
  generation: Generation,
  position: number,
  { isFirstUse, durable }: LogUse = UNKNOWN_USE,
): Buffer {
  const { key, header, payload, isKeyed } = row;
  const head = Buffer.allocUnsafe(HEAD_BYTES + key.length + header.length);
  const flags = (isKeyed ? FLAG_KEYED : 0) | (isFirstUse ? FLAG_FIRST_USE : 0);
  head.writeUInt32LE(MAGIC, 0);
  generation.copy(head, GENERATION_AT);
  head.writeUInt32LE(position, POSITION_AT);
  head.writeUInt16LE(key.length, KEY_BYTES_AT);
  head.writeUInt16LE(flags | ((durable / PAGE_BYTES) << DURABLE_SHIFT), FLAGS_AT);
  head.writeUInt32LE(header.length + payload.length, VALUE_BYTES_AT);
  head.set(key, HEAD_BYTES);
  head.set(header, HEAD_BYTES + key.length);
  head.writeUInt32LE(crc32(payload, crc32(head.subarray(CRC_FROM))), 4);
  return head;
}

/** The generation of the record that may begin here; null when none does. */
export function generationAt(bytes: Buffer): Generation | null {
  if (bytes.length < HEAD_BYTES || bytes.readUInt32LE(0) !== MAGIC) return null;
  return Buffer.from(bytes.subarray(GENERATION_AT, GENERATION_AT + GENERATION_BYTES));
}

/** The length of the record that may begin here, according to its head. */
export function recordLength(head: Buffer): number {
  return HEAD_BYTES + head.readUInt16LE(KEY_BYTES_AT) + head.readUInt32LE(VALUE_BYTES_AT);
}

/**
 * The record of this generation at the start of `bytes`, as views of them; null when there is no complete record.
 * @param position of `bytes` in the segment
 */
export function readRecord(
  bytes: Buffer,
  generation: Generation,
  position: number,
): LogRecord | null {
  if (!generationAt(bytes)?.equals(generation)) return null;
  if (bytes.readUInt32LE(POSITION_AT) !== position) return null;
  const length = recordLength(bytes);
  if (bytes.length < length) return null;
  if (crc32(bytes.subarray(CRC_FROM, length)) !== bytes.readUInt32LE(4)) return null;
  const valueAt = HEAD_BYTES + bytes.readUInt16LE(KEY_BYTES_AT);
  const flags = bytes.readUInt16LE(FLAGS_AT);
  return {
    key: bytes.subarray(HEAD_BYTES, valueAt),
    value: bytes.subarray(valueAt, length),
    isKeyed: (flags & FLAG_KEYED) !== 0,
    isFirstUse: (flags & FLAG_FIRST_USE) !== 0,
    durable: (flags >> DURABLE_SHIFT) * PAGE_BYTES,
    position,
    bytes: length,
    end: nextPosition(position, length),
  };
}

/** Of the 12 bytes of magic and generation, how many must be right in a head that was damaged. */
const ALIKE_MIN = 8;

/**
 * Whether the head of a record of this generation begins here, perhaps with some bytes damaged. A record of another
 * generation has the magic too, and each byte of the generation with a probability of 1 in 256.
 */
export function resemblesHead(bytes: Buffer, generation: Generation): boolean {
  if (bytes.length < HEAD_BYTES) return false;
  let alike = 0;
  for (let i = 0; i < 4; i++) if (bytes[i] === ((MAGIC >> (8 * i)) & 0xff)) alike++;
  for (let i = 0; i < GENERATION_BYTES; i++) {
    if (bytes[GENERATION_AT + i] === generation[i]) alike++;
  }
  return alike >= ALIKE_MIN;
}

/**
 * Whether this may be the head of a record of which the rest was not written: no part of it is damaged.
 * @param generation null when it is not known
 * @param bytesMax what lies behind the position in the segment
 */
export function isHead(
  bytes: Buffer,
  generation: Generation | null,
  position: number,
  bytesMax: number,
): boolean {
  const found = generationAt(bytes);
  if (found === null || (generation !== null && !found.equals(generation))) return false;
  return bytes.readUInt32LE(POSITION_AT) === position && recordLength(bytes) <= bytesMax;
}

/** Takes the place of a segment's first record when all of it is in the tables: magic, CRC-32, generation. */
const FREE_MAGIC = 0x464c4246;
export const FREE_MARK_BYTES = 64;

/** @param generation of the use that ended */
export function freeMark(generation: Generation): Buffer {
  const mark = Buffer.alloc(FREE_MARK_BYTES);
  mark.writeUInt32LE(FREE_MAGIC, 0);
  generation.copy(mark, GENERATION_AT);
  mark.writeUInt32LE(crc32(mark.subarray(CRC_FROM)), 4);
  return mark;
}

/** The generation in a mark at the start of `bytes`; null when there is none. */
export function readFreeMark(bytes: Buffer): Generation | null {
  if (bytes.length < FREE_MARK_BYTES || bytes.readUInt32LE(0) !== FREE_MAGIC) return null;
  const crc = crc32(bytes.subarray(CRC_FROM, FREE_MARK_BYTES));
  if (crc !== bytes.readUInt32LE(4)) return null;
  return Buffer.from(bytes.subarray(GENERATION_AT, GENERATION_AT + GENERATION_BYTES));
}
