import type { Frame } from '../../model/frame.js';

const TIME_BYTES = 6;
const COUNT_BYTES = 4;
const TAIL_BYTES = COUNT_BYTES + TIME_BYTES;

/** What a key tells without reading its value: enough to count and to age a backlog cheaply. */
export interface KeyFacts {
  readonly id: string;
  readonly count: number;
  readonly acceptedAtMs: number;
}

/** Table `frames`: id, then count (4 bytes) and time of acceptance (6 bytes). Sorts by id, so by time. */
export function freshKey(frame: Frame): Buffer {
  const key = Buffer.alloc(frame.id.length + TAIL_BYTES);
  writeFacts(key, 0, frame);
  return key;
}

/** Table `later`: when it is due (6 bytes, big endian, so that it sorts), then as in `frames`. */
export function laterKey(frame: Frame): Buffer {
  const key = Buffer.alloc(TIME_BYTES + frame.id.length + TAIL_BYTES);
  key.writeUIntBE(frame.notBeforeMs, 0, TIME_BYTES);
  writeFacts(key, TIME_BYTES, frame);
  return key;
}

/** Table `ages`: the time of acceptance of each frame in `later`, oldest first. */
export function ageKey(frame: Frame): Buffer {
  const key = Buffer.alloc(TIME_BYTES + frame.id.length);
  key.writeUIntBE(frame.acceptedAtMs, 0, TIME_BYTES);
  key.write(frame.id, TIME_BYTES, 'latin1');
  return key;
}

export function freshFacts(key: Buffer): KeyFacts {
  return readFacts(key, 0);
}

export function laterFacts(key: Buffer): KeyFacts {
  return readFacts(key, TIME_BYTES);
}

/** The time that a key of `later` (when due) or of `ages` (when accepted) starts with. */
export function leadingTimeMs(key: Buffer): number {
  return key.readUIntBE(0, TIME_BYTES);
}

/** A key that sorts before all of `later` that are due then or after; epoch milliseconds. */
export function timeKey(epochMs: number): Buffer {
  const key = Buffer.alloc(TIME_BYTES);
  key.writeUIntBE(epochMs, 0, TIME_BYTES);
  return key;
}

/** The ranges of `later` that are due, see `untilDueMs`: before now, and impossibly far ahead. */
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
