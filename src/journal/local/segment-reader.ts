import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Generation } from '../frame/generation.js';
import {
  FREE_MARK_BYTES,
  generationAt,
  HEAD_BYTES,
  type LogRecord,
  readFreeMark,
  readRecord,
  recordLength,
} from '../frame/log-record.js';
import { type FoundRecords, type LogPosition, NOTHING, SegmentContent } from './segment-content.js';
import { SEGMENT_BYTES, type Segment, segmentPath } from './segment-files.js';

/** The size of a read. */
const CHUNK_BYTES = 128 * 1024;
/** Between two looks for records behind an incomplete one while a segment is written to. */
const LOOK_MS = 1000;

/** Shared by all readers of a thread: what a read returns is valid until the next one. */
const head = Buffer.allocUnsafeSlow(HEAD_BYTES);
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

/** Reads a segment, also while it is written to: an incomplete record at its end counts as not there. */
export class SegmentReader {
  readonly #descriptor: number;
  #position: LogPosition | null;
  /** Of a segment that is not written to any more. */
  #content: Buffer | null = null;
  #lookedAtMs = performance.now();
  #seenMtimeMs = 0;

  /** @param from the position to begin at; null for the front */
  constructor(folder: string, segment: Segment, from: LogPosition | null) {
    this.#descriptor = openSync(segmentPath(folder, segment), 'r');
    this.#position = from;
  }

  /**
   * Records after the position, about `bytesMax` bytes at most but at least one. Does not advance the position. The
   * records are views that are valid until another segment is read.
   * @param isWritten whether an appender may write to it
   */
  read(bytesMax: number, isWritten: boolean): FoundRecords {
    if (isWritten) {
      const found = this.#readWritten(bytesMax);
      return found.records.length > 0 || !this.#isLookDue()
        ? found
        : this.#lookBehind(found, bytesMax);
    }
    if (this.#content === null && this.#hasNothing()) return NOTHING;
    this.#content ??= this.#all();
    return new SegmentContent(this.#content, this.#position).read(bytesMax);
  }

  /** Everything up to `end` was taken in. */
  advance(end: LogPosition): void {
    this.#position = end;
  }

  /** Drops what is kept of a segment that was read to its end. */
  forget(): void {
    this.#content = null;
  }

  /** The bytes of a record that was found before, whatever they are now. */
  bytesAt(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    return bytes.subarray(0, readSync(this.#descriptor, bytes, 0, length, position));
  }

  /** Whether the file has its full size, so that writing to it takes no space. */
  get isFullSize(): boolean {
    return fstatSync(this.#descriptor).size === SEGMENT_BYTES;
  }

  /** Whether the file has no name any more. */
  get isDeleted(): boolean {
    return fstatSync(this.#descriptor).nlink === 0;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #readWritten(bytesMax: number): FoundRecords {
    const from = this.#start();
    if (from === null) return NOTHING;
    const records = this.#recordsAt(from, bytesMax);
    const position = records.at(-1)?.end ?? from.position;
    return { ...NOTHING, records, end: { ...from, position }, isAll: records.length === 0 };
  }

  /** From time to time, if anything was written since. */
  #isLookDue(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < LOOK_MS) return false;
    this.#lookedAtMs = nowMs;
    const { mtimeMs } = fstatSync(this.#descriptor);
    const isDue = mtimeMs !== this.#seenMtimeMs;
    this.#seenMtimeMs = mtimeMs;
    return isDue;
  }

  /** Twice, because what is written during the first look seems to be damaged then. */
  #lookBehind(found: FoundRecords, bytesMax: number): FoundRecords {
    const look = () => new SegmentContent(this.#all(), this.#position).read(bytesMax, true);
    const first = look();
    if (first.holes.length === 0) return found;
    const seen = first.holes.map(({ position }) => position);
    const again = look();
    return again.holes.every(({ position }) => seen.includes(position)) ? again : found;
  }

  #all(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(Math.min(SEGMENT_BYTES, fstatSync(this.#descriptor).size));
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(this.#descriptor, bytes, read, bytes.length - read, read);
      if (count === 0) break;
      read += count;
    }
    return bytes.subarray(0, read);
  }

  /** It is marked as free, or it is a device. */
  #hasNothing(): boolean {
    if (fstatSync(this.#descriptor).isCharacterDevice()) return true;
    const mark = Buffer.alloc(FREE_MARK_BYTES);
    const bytes = readSync(this.#descriptor, mark, 0, mark.length, 0);
    return this.isFullSize && readFreeMark(mark.subarray(0, bytes)) !== null;
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

  #recordsAt({ generation, position }: LogPosition, bytesMax: number): LogRecord[] {
    const left = SEGMENT_BYTES - position;
    if (left <= 0 || !this.#generationAt(position)?.equals(generation)) return [];
    const length = Math.min(left, Math.max(Math.min(CHUNK_BYTES, bytesMax), recordLength(head)));
    const into = length <= CHUNK_BYTES ? chunk : Buffer.allocUnsafeSlow(length);
    const bytes = readSync(this.#descriptor, into, 0, length, position);
    const found: LogRecord[] = [];
    for (let at = 0; at < bytes; ) {
      const record = readRecord(into.subarray(at, bytes), generation, position + at);
      if (record === null) break;
      found.push(record);
      at = record.end - position;
    }
    return found;
  }
}
