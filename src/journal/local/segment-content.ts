import { type Generation, isLater } from '../frame/generation.js';
import {
  generationAt,
  HEAD_BYTES,
  isHead,
  type LogRecord,
  nextPosition,
  PAGE_BYTES,
  readFreeMark,
  readRecord,
  recordLength,
  resemblesHead,
} from '../frame/log-record.js';
import { SEGMENT_BYTES } from './segment-files.js';

/** A position in one use of a segment. */
export interface LogPosition {
  readonly generation: Generation;
  readonly position: number;
}

/**
 * `damaged`: it was durable, or was written completely. `torn`: a crash interrupted the write, so no order in it was
 * answered 200. `unknown`: either.
 */
export type HoleVerdict = 'damaged' | 'torn' | 'unknown';

/** Bytes of a segment that should be a record and are not. */
export interface Hole {
  readonly position: number;
  readonly bytes: Buffer;
  readonly verdict: HoleVerdict;
  readonly reason: string;
}

/** What was read from a position on. */
export interface FoundRecords {
  readonly records: readonly LogRecord[];
  readonly holes: readonly Hole[];
  /** Behind the records and holes; null when there is none in this use, or no use. */
  readonly end: LogPosition | null;
  /** There was no more. */
  readonly isAll: boolean;
}

/** The size of what disks write at once, or a multiple of it. */
const SECTOR_BYTES = 512;
/** What older versions overwrote with zeros when a segment was free. */
const OLD_MARK_BYTES = 64;

/** A segment with nothing to copy. */
export const NOTHING = { records: [], holes: [], end: null, isAll: true } as const;

/**
 * The content of a segment that nothing writes to, read page by page: records behind an incomplete one are found too.
 * Several writes can be in progress at a crash, so a complete record behind an incomplete one is no proof of damage;
 * `LogUse.durable` in a later record is.
 */
export class SegmentContent {
  readonly #bytes: Buffer;
  readonly #copied: LogPosition | null;
  readonly #use: LogPosition | null;
  #isFirstUse: boolean;
  #provenDurable = 0;
  #isJudged = false;

  /**
   * @param bytes the whole file
   * @param copied the position up to which the tables have it; null when they have none of it
   */
  constructor(bytes: Buffer, copied: LogPosition | null) {
    this.#bytes = bytes;
    this.#copied = copied;
    this.#isFirstUse = copied === null;
    this.#use = this.#currentUse();
  }

  /**
   * Records and holes from the position `copied` on, up to `bytesMax` bytes but at least one record.
   * @param isWritten whether an appender may write to it: then what is incomplete may be a write in progress, unless a
   *   later record says that it was durable
   */
  read(bytesMax: number, isWritten = false): FoundRecords {
    if (this.#use === null) return isWritten ? NOTHING : this.#withoutUse();
    const { generation, position: from } = this.#use;
    if (from >= SEGMENT_BYTES) return { ...NOTHING, end: this.#use };
    const records: LogRecord[] = [];
    const holes = isWritten ? [] : this.#lostFirst();
    let position = from;
    while (position < this.#bytes.length) {
      const end = { generation, position };
      if (position - from >= bytesMax) return { records, holes, end, isAll: false };
      const record = this.#recordAt(position);
      if (record !== null) {
        records.push(record);
        position = record.end;
        continue;
      }
      const next = this.#nextRecord(position + PAGE_BYTES);
      if (isWritten && next === null) return { records, holes, end, isAll: true };
      const lost = next === null ? this.#endHoles(position) : this.#holes(position, next);
      if (isWritten && !lost.every((hole) => this.#isProven(hole))) {
        return { records, holes, end, isAll: true };
      }
      holes.push(...lost);
      if (next === null) break;
      position = next;
    }
    const end = { generation, position: SEGMENT_BYTES };
    return { records, holes: this.#withCut(position, holes), end, isAll: true };
  }

  /** No record tells what the file is. */
  #withoutUse(): FoundRecords {
    const isFree = this.#copied !== null && this.#isErased();
    if (isFree || readFreeMark(this.#bytes) !== null) return NOTHING;
    return { ...NOTHING, holes: this.#withCut(0, this.#endHoles(0)) };
  }

  /** Where the use that is not copied yet begins or goes on; null when there is none. */
  #currentUse(): LogPosition | null {
    const copied = this.#copied;
    const first = generationAt(this.#bytes);
    if (first !== null && readRecord(this.#bytes, first, 0) !== null) return this.#useOf(first);
    if (readFreeMark(this.#bytes) !== null) return null;
    if (copied !== null && resemblesHead(this.#bytes, copied.generation)) return copied;
    // The first record is lost. From the front on, the uses of a segment lie in it from the latest to the earliest.
    const found = this.#anyRecord();
    if (found === null) return null;
    if (copied === null || found.equals(copied.generation)) return this.#useOf(found);
    const isNewer = isLater(found, copied.generation) ?? !this.#isErased();
    return isNewer ? this.#useOf(found) : null;
  }

  #useOf(generation: Generation): LogPosition {
    const copied = this.#copied;
    return copied?.generation.equals(generation) ? copied : { generation, position: 0 };
  }

  /** The first record of a use that has no other, of which not even the generation can be read. */
  #lostFirst(): Hole[] {
    const first = generationAt(this.#bytes);
    const isThere = first !== null && readRecord(this.#bytes, first, 0) !== null;
    if (isThere || this.#use !== this.#copied || this.#isErased()) return [];
    return this.#seemsRecord(0) ? [] : this.#hole(0, nextPosition(this.#endOf(0), 0));
  }

  /** Older versions erased the head of the first record of a free segment, and nothing else. */
  #isErased(): boolean {
    const page = this.#bytes.subarray(0, PAGE_BYTES);
    return isZero(page.subarray(0, OLD_MARK_BYTES)) && !isZero(page);
  }

  #anyRecord(): Generation | null {
    for (let position = 0; position < this.#bytes.length; position += PAGE_BYTES) {
      const page = this.#bytes.subarray(position);
      const generation = generationAt(page);
      if (generation !== null && readRecord(page, generation, position) !== null) return generation;
    }
    return null;
  }

  #recordAt(position: number): LogRecord | null {
    return readRecord(this.#bytes.subarray(position), this.#use!.generation, position);
  }

  #nextRecord(from: number): number | null {
    for (let position = from; position < this.#bytes.length; position += PAGE_BYTES) {
      if (this.#recordAt(position) !== null) return position;
    }
    return null;
  }

  /** What lies between two records, one hole for each record that may have begun there. */
  #holes(from: number, to: number): Hole[] {
    const starts = [from];
    for (let position = from + PAGE_BYTES; position < to; position += PAGE_BYTES) {
      if (this.#seemsRecord(position)) starts.push(position);
    }
    return starts.flatMap((start, i) => this.#hole(start, starts[i + 1] ?? to));
  }

  /** What lies behind the last record. */
  #endHoles(from: number): Hole[] {
    const { length } = this.#bytes;
    this.#judge();
    let last = from;
    if (this.#isFirstUse) last = from + contentBytes(this.#bytes.subarray(from));
    else if (this.#use === null) last = this.#endOf(from);
    for (let position = from; position < length; position += PAGE_BYTES) {
      if (this.#seemsRecord(position)) last = Math.max(last, this.#endOf(position));
    }
    return last === from ? [] : this.#holes(from, Math.min(length, nextPosition(last, 0)));
  }

  #seemsRecord(position: number): boolean {
    return (
      this.#use !== null && resemblesHead(this.#bytes.subarray(position), this.#use.generation)
    );
  }

  /** Where the record that may begin here ends, by its head if that is possible. */
  #endOf(position: number): number {
    const page = this.#bytes.subarray(position);
    const end = page.length < HEAD_BYTES ? Number.POSITIVE_INFINITY : position + recordLength(page);
    return end <= this.#bytes.length ? end : position + contentBytes(page.subarray(0, PAGE_BYTES));
  }

  #hole(position: number, end: number): Hole[] {
    const bytes = this.#bytes.subarray(position, end);
    this.#judge();
    if (this.#isProven({ position })) {
      const reason = 'it is damaged: a later record says that it was durable';
      return [{ position, bytes, verdict: 'damaged', reason }];
    }
    const written = contentBytes(bytes);
    if (written === 0) return [];
    if (!this.#isFirstUse) {
      const reason = 'it is incomplete, after a crash or by damage';
      return [{ position, bytes, verdict: 'unknown', reason }];
    }
    return this.#isDamagedHead(position) || isCompletelyWritten(bytes, written)
      ? [
          {
            position,
            bytes,
            verdict: 'damaged',
            reason: 'it is damaged: all of it was written',
          },
        ]
      : [{ position, bytes, verdict: 'torn', reason: 'a crash interrupted its write' }];
  }

  /** The first sector of a write in progress is either not written, or right. */
  #isDamagedHead(position: number): boolean {
    const bytes = this.#bytes.subarray(position);
    if (isZero(bytes.subarray(0, SECTOR_BYTES))) return false;
    const generation = this.#use?.generation ?? null;
    return !isHead(bytes, generation, position, SEGMENT_BYTES - position);
  }

  #isProven({ position }: Pick<Hole, 'position'>): boolean {
    return position < this.#provenDurable;
  }

  /** A segment gets its full size before it gets a record. */
  #withCut(position: number, holes: readonly Hole[]): Hole[] {
    const { length } = this.#bytes;
    if (length >= SEGMENT_BYTES) return [...holes];
    const last = holes.at(-1);
    const isLastCut = last !== undefined && last.position + last.bytes.length === length;
    const from = isLastCut ? last.position : holes.length > 0 ? length : Math.min(position, length);
    const reason = `the file was cut: it has ${length} of ${SEGMENT_BYTES} bytes`;
    const cut: Hole = {
      position: from,
      bytes: this.#bytes.subarray(from),
      verdict: 'damaged',
      reason,
    };
    return [...(isLastCut ? holes.slice(0, -1) : holes), cut];
  }

  /** Reads what the records of this use say about it. */
  #judge(): void {
    if (this.#isJudged || this.#use === null) return;
    this.#isJudged = true;
    for (let position = 0; position < this.#bytes.length; position += PAGE_BYTES) {
      const record = this.#recordAt(position);
      if (record === null) continue;
      this.#provenDurable = Math.max(this.#provenDurable, record.durable);
      this.#isFirstUse = record.isFirstUse;
    }
  }
}

function isZero(bytes: Buffer): boolean {
  return contentBytes(bytes) === 0;
}

const ZEROS = Buffer.alloc(PAGE_BYTES);

/** The length without zeros at the end. */
function contentBytes(bytes: Buffer): number {
  let { length } = bytes;
  while (
    length >= PAGE_BYTES &&
    bytes.compare(ZEROS, 0, PAGE_BYTES, length - PAGE_BYTES, length) === 0
  ) {
    length -= PAGE_BYTES;
  }
  while (length > 0 && bytes[length - 1] === 0) length--;
  return length;
}

/**
 * Whether a record in a segment of zeros was written to its end. A record contains no sector of zeros, so one that is
 * there was not written, and neither was the rest where the content ends exactly with a sector.
 */
function isCompletelyWritten(bytes: Buffer, written: number): boolean {
  for (let at = 0; at < written; at += SECTOR_BYTES) {
    if (isZero(bytes.subarray(at, at + SECTOR_BYTES))) return false;
  }
  const isWholeSector = written % SECTOR_BYTES === 0;
  return !isWholeSector || (bytes.length >= HEAD_BYTES && recordLength(bytes) === written);
}
