import { crc32 } from 'node:zlib';
import type { Frame } from '../../model/frame.js';
import { decodeRecord, encodeRecord } from '../frame/record.js';
import type { LocalStore, Table } from './local-store.js';

const TIME_BYTES = 6;
const COUNT_BYTES = 4;
const TAIL_BYTES = COUNT_BYTES + TIME_BYTES;
const CRC_BYTES = 4;

/** What a key tells without reading its value: enough to count a backlog and find its age cheaply. */
export interface KeyFacts {
  readonly id: string;
  readonly count: number;
  readonly acceptedAtMs: number;
}

/**
 * Key in the table `frames`: id, number of orders (4 bytes), time of acceptance (6 bytes). Sorts by id, and so by
 * time.
 */
export function freshKey(frame: KeyFacts): Buffer {
  const key = Buffer.alloc(frame.id.length + TAIL_BYTES);
  writeFacts(key, 0, frame);
  return key;
}

/** Key in the table `later`: due time (6 bytes, big endian, so that it sorts), then as in `frames`. */
function laterKey(frame: Frame): Buffer {
  const key = Buffer.alloc(TIME_BYTES + frame.id.length + TAIL_BYTES);
  key.writeUIntBE(frame.notBeforeMs, 0, TIME_BYTES);
  writeFacts(key, TIME_BYTES, frame);
  return key;
}

/** Key in the table `ages`: the time of acceptance of each frame in `later`, oldest first. */
export function ageKeyOf({ id, acceptedAtMs }: Pick<KeyFacts, 'id' | 'acceptedAtMs'>): Buffer {
  const key = Buffer.alloc(TIME_BYTES + id.length);
  key.writeUIntBE(acceptedAtMs, 0, TIME_BYTES);
  key.write(id, TIME_BYTES, 'latin1');
  return key;
}

/** Files a frame to be delivered when it is due. To be called inside a write transaction. */
export function putLater(store: LocalStore, frame: Frame): void {
  const key = laterKey(frame);
  store.later.put(key, encodeRecord(frame, key));
  putAge(store, frame);
}

/** The row of `ages` for a frame in `later`. To be called inside a write transaction. */
export function putAge(store: LocalStore, frame: Frame): void {
  const key = ageKeyOf(frame);
  store.ages.put(key, keyCrc(key));
}

/** The value of a row of `ages`, which says everything in its key: a checksum of the key. */
function keyCrc(key: Uint8Array): Buffer {
  const crc = Buffer.allocUnsafe(CRC_BYTES);
  crc.writeUInt32BE(crc32(key));
  return crc;
}

/** Rows of `ages` that are looked at. */
const AGES_MAX = 100;

/** When the oldest frame in `later` was accepted, epoch milliseconds; null when there is none. */
export function oldestAgeMs({ later, ages }: Record<'later' | 'ages', Table>): number | null {
  const [waiting] = later.getKeys({ limit: 1 });
  if (waiting === undefined) return null;
  for (const { key, value } of ages.getRange({ limit: AGES_MAX })) {
    // Older versions wrote no checksum.
    if (value.length === 0 || value.equals(keyCrc(key))) return leadingTimeMs(key);
  }
  return null;
}

/**
 * The frame in a row of `frames`.
 * @throws Error the row is not as it was written, or its version is unknown; the message does not name it
 */
export function decodeFresh(key: Buffer, value: Buffer): Frame {
  return requireKey(key, freshKey, decodeRecord(value, key));
}

/** The same in a row of `later`. */
export function decodeLater(key: Buffer, value: Buffer): Frame {
  return requireKey(key, laterKey, decodeRecord(value, key));
}

/** Rows of older versions have no checksum: their key must at least agree with the frame. */
function requireKey(key: Buffer, keyOf: (frame: Frame) => Buffer, frame: Frame): Frame {
  if (!keyOf(frame).equals(key)) throw new Error('its key belongs to another frame');
  return frame;
}

export function freshFacts(key: Buffer): KeyFacts {
  return readFacts(key, 0);
}

export function laterFacts(key: Buffer): KeyFacts {
  return readFacts(key, TIME_BYTES);
}

/** The time at the start of a key of `later` (due) or of `ages` (accepted). */
export function leadingTimeMs(key: Buffer): number {
  return key.length < TIME_BYTES ? 0 : key.readUIntBE(0, TIME_BYTES);
}

/** Sorts before all keys of `later` that are due at `epochMs` or after. */
export function timeKey(epochMs: number): Buffer {
  const key = Buffer.alloc(TIME_BYTES);
  key.writeUIntBE(epochMs, 0, TIME_BYTES);
  return key;
}

/** The ranges of `later` that are due, see `untilDueMs`: due before now, or impossibly far in the future. */
export function dueRanges(nowMs: number, retryMsMax: number) {
  return [{ end: timeKey(nowMs + 1) }, { start: timeKey(nowMs + retryMsMax + 1) }];
}

function writeFacts(key: Buffer, at: number, frame: KeyFacts): void {
  at += key.write(frame.id, at, 'latin1');
  at = key.writeUInt32BE(frame.count, at);
  key.writeUIntBE(frame.acceptedAtMs, at, TIME_BYTES);
}

/** A key that is too short was not written by Forebay, and stands for no orders. */
function readFacts(key: Buffer, at: number): KeyFacts {
  const tail = key.length - TAIL_BYTES;
  if (tail < at) return { id: key.toString('latin1', at), count: 0, acceptedAtMs: 0 };
  return {
    id: key.toString('latin1', at, tail),
    count: key.readUInt32BE(tail),
    acceptedAtMs: key.readUIntBE(tail + COUNT_BYTES, TIME_BYTES),
  };
}
