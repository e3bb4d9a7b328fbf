import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  type Generation,
  generationAt,
  HEAD_BYTES,
  type LogRecord,
  readRecord,
  recordLength,
} from '../frame/log-record.js';
import { SEGMENT_BYTES, type Segment, segmentPath } from './segment-files.js';

/** The position up to which the tables have a segment. */
export interface LogPosition {
  readonly generation: Generation;
  readonly position: number;
}

/** What was read from a position on. */
export interface FoundRecords {
  readonly records: readonly LogRecord[];
  /** Behind the records; null when the segment was never written to. */
  readonly end: LogPosition | null;
  /** There was no more. */
  readonly isAll: boolean;
}

/** The size of a read. */
const CHUNK_BYTES = 128 * 1024;

/** Shared by all readers of a thread, for reads that mostly find nothing. */
const head = Buffer.allocUnsafeSlow(HEAD_BYTES);

/** Reads a segment, also while it is written to: an incomplete record counts as not there. */
export class SegmentReader {
  readonly #descriptor: number;
  #position: LogPosition | null;

  /** @param from the position up to which the tables have it; null when they have none of it */
  constructor(folder: string, segment: Segment, from: LogPosition | null) {
    this.#descriptor = openSync(segmentPath(folder, segment), 'r');
    this.#position = from;
  }

  /** Records after the position, up to `bytesMax` bytes but at least one. Does not advance the position. */
  read(bytesMax: number): FoundRecords {
    const from = this.#start();
    if (from === null) return { records: [], end: null, isAll: true };
    const records: LogRecord[] = [];
    let { position } = from;
    while (position < SEGMENT_BYTES) {
      const at = { ...from, position };
      if (position - from.position >= bytesMax) return { records, end: at, isAll: false };
      const found = this.#recordsAt(at);
      if (found.length === 0) break;
      records.push(...found);
      position = found.at(-1)!.end;
    }
    return { records, end: { ...from, position }, isAll: true };
  }

  /** The tables have everything up to `end`. */
  copied(end: LogPosition): void {
    this.#position = end;
  }

  /** Whether the file has its full size, so that writing to it takes no space. */
  get isFullSize(): boolean {
    return fstatSync(this.#descriptor).size === SEGMENT_BYTES;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** A reused segment starts at 0, with another generation. */
  #start(): LogPosition | null {
    const generation = this.#generationAt(0);
    if (generation === null) return null;
    return this.#position?.generation.equals(generation)
      ? this.#position
      : { generation, position: 0 };
  }

  #generationAt(position: number): Generation | null {
    const bytes = readSync(this.#descriptor, head, 0, HEAD_BYTES, position);
    return generationAt(head.subarray(0, bytes));
  }

  /** Views of a chunk of their own: copying each record would cost more than the rest of the checkpoint. */
  #recordsAt({ generation, position }: LogPosition): LogRecord[] {
    if (!this.#generationAt(position)?.equals(generation)) return [];
    const left = SEGMENT_BYTES - position;
    const chunk = Buffer.allocUnsafeSlow(Math.min(left, Math.max(CHUNK_BYTES, recordLength(head))));
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
