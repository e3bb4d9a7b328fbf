import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  announcedBytes,
  type Generation,
  generationAt,
  HEAD_BYTES,
  type LogRecord,
  readRecord,
} from '../frame/log-record.js';
import { SEGMENT_BYTES, type Segment, segmentPath } from './segment-files.js';

/** How far the tables have what is in a segment. */
export interface LogPosition {
  readonly generation: Generation;
  readonly position: number;
}

/** What was found from a place on. */
export interface Found {
  readonly records: readonly LogRecord[];
  /** Behind them; null when the segment has never been written to. */
  readonly place: LogPosition | null;
  /** There was no more. */
  readonly isAll: boolean;
}

/** What is read at once at first. */
const CHUNK_BYTES = 128 * 1024;

/** Shared by all readers of a thread, for a look that mostly finds nothing. */
const head = Buffer.allocUnsafeSlow(HEAD_BYTES);

/** Reads a segment, also while it is written to: a record that is not whole yet is none yet. */
export class SegmentReader {
  readonly #descriptor: number;
  #place: LogPosition | null;

  /** @param place how far the tables have it, as they say; null when they have not heard of it */
  constructor(folder: string, segment: Segment, place: LogPosition | null) {
    this.#descriptor = openSync(segmentPath(folder, segment), 'r');
    this.#place = place;
  }

  /** The records from there on where the tables have it, of so many bytes at most or one; does not go on by itself. */
  read(bytesMax: number): Found {
    const from = this.#start();
    if (from === null) return { records: [], place: null, isAll: true };
    const records: LogRecord[] = [];
    let { position } = from;
    while (position < SEGMENT_BYTES) {
      const place = { ...from, position };
      if (position - from.position >= bytesMax) return { records, place, isAll: false };
      const found = this.#recordsAt(place);
      if (found.length === 0) break;
      records.push(...found);
      position = found.at(-1)!.end;
    }
    return { records, place: { ...from, position }, isAll: true };
  }

  /** The tables have all up to there. */
  moved(place: LogPosition): void {
    this.#place = place;
  }

  /** Whether it has its full size, so that writing to it takes no room. */
  get isWhole(): boolean {
    return fstatSync(this.#descriptor).size === SEGMENT_BYTES;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** A segment that is used again begins anew, with another generation. */
  #start(): LogPosition | null {
    const generation = this.#generationAt(0);
    if (generation === null) return null;
    return this.#place?.generation.equals(generation) ? this.#place : { generation, position: 0 };
  }

  #generationAt(position: number): Generation | null {
    const bytes = readSync(this.#descriptor, head, 0, HEAD_BYTES, position);
    return generationAt(head.subarray(0, bytes));
  }

  /** Views of a chunk that is theirs: a copy of each would cost more than all the rest of moving it. */
  #recordsAt({ generation, position }: LogPosition): LogRecord[] {
    if (!this.#generationAt(position)?.equals(generation)) return [];
    const left = SEGMENT_BYTES - position;
    const chunk = Buffer.allocUnsafeSlow(
      Math.min(left, Math.max(CHUNK_BYTES, announcedBytes(head))),
    );
    const bytes = readSync(this.#descriptor, chunk, 0, chunk.length, position);
    const found: LogRecord[] = [];
    for (let at = 0; at < bytes; ) {
      const record = readRecord(chunk.subarray(at, bytes), generation, position + at);
      if (record === null) break;
      found.push(record);
      at = record.end - position;
    }
    return found;
  }
}
