import { crc32 } from 'node:zlib';

/** Records begin at multiples of this, so that no page with a durable record is ever written again. */
const PAGE_BYTES = 4096;

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
export const GENERATION_BYTES = 8;

/** The frame has idempotency keys, which are stored in a table of their own. */
const FLAG_KEYED = 1;

/** A row of the table `frames` as it is written to the log. */
export interface LogRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly isKeyed: boolean;
}

export interface LogRecord extends LogRow {
  /** Where the next record begins. */
  readonly end: number;
}

/** Identifies one use of a segment. Random: it only has to differ from the generations before it. */
export type Generation = Buffer;

export function recordBytes({ key, value }: LogRow): number {
  return HEAD_BYTES + key.length + value.length;
}

/** Where the record after one of this length begins. */
export function nextPosition(position: number, bytes: number): number {
  return Math.ceil((position + bytes) / PAGE_BYTES) * PAGE_BYTES;
}

/** All of a record except its value. */
export function recordHead(row: LogRow, generation: Generation, position: number): Buffer {
  const { key, value, isKeyed } = row;
  const head = Buffer.allocUnsafe(HEAD_BYTES + key.length);
  head.writeUInt32LE(MAGIC, 0);
  generation.copy(head, GENERATION_AT);
  head.writeUInt32LE(position, POSITION_AT);
  head.writeUInt16LE(key.length, KEY_BYTES_AT);
  head.writeUInt16LE(isKeyed ? FLAG_KEYED : 0, FLAGS_AT);
  head.writeUInt32LE(value.length, VALUE_BYTES_AT);
  head.set(key, HEAD_BYTES);
  head.writeUInt32LE(crc32(value, crc32(head.subarray(CRC_FROM))), 4);
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
  return {
    key: bytes.subarray(HEAD_BYTES, valueAt),
    value: bytes.subarray(valueAt, length),
    isKeyed: (bytes.readUInt16LE(FLAGS_AT) & FLAG_KEYED) !== 0,
    end: nextPosition(position, length),
  };
}
