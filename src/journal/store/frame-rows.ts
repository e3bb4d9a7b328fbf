import type { Frame } from '../../model/frame.js';
import { encodeRecord } from '../frame/record.js';
import type { LocalStore } from './local-store.js';

const TIME_BYTES = 6;
const COUNT_BYTES = 4;
const TAIL_BYTES = COUNT_BYTES + TIME_BYTES;

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
export function freshKey(frame: Frame): Buffer {
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
export function ageKey(frame: Frame): Buffer {
  const key = Buffer.alloc(TIME_BYTES + frame.id.length);
  key.writeUIntBE(frame.acceptedAtMs, 0, TIME_BYTES);
  key.write(frame.id, TIME_BYTES, 'latin1');
  return key;
}

/** Files a frame to be delivered when it is due. To be called inside a write transaction. */
export function putLater(store: LocalStore, frame: Frame): void {
  store.later.put(laterKey(frame), encodeRecord(frame));
  store.ages.put(ageKey(frame), Buffer.alloc(0));
}

export function freshFacts(key: Buffer): KeyFacts {
  return readFacts(key, 0);
}

export function laterFacts(key: Buffer): KeyFacts {
  return readFacts(key, TIME_BYTES);
}

/** The time at the start of a key of `later` (due) or of `ages` (accepted). */
export function leadingTimeMs(key: Buffer): number {
  return key.readUIntBE(0, TIME_BYTES);
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

function writeFacts(key: Buffer, at: number, frame: Frame): void {
  at += key.write(frame.id, at, 'latin1');
  at = key.writeUInt32BE(frame.count, at);
  key.writeUIntBE(frame.acceptedAtMs, at, TIME_BYTES);
}

function readFacts(key: Buffer, at: number): KeyFacts {
  const tail = key.length - TAIL_BYTES;
  return {
    id: key.toString('latin1', at, tail),
    count: key.readUInt32BE(tail),
    acceptedAtMs: key.readUIntBE(tail + COUNT_BYTES, TIME_BYTES),
  };
}
