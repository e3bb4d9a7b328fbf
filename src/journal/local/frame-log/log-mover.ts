import { rmSync } from 'node:fs';
import { recordKeys } from '../../keys/key-rows.js';
import { GROUP_BYTES_MAX } from '../grouped-writes.js';
import type { LocalStore } from '../local-store.js';
import { decodeRecord } from '../record.js';
import { readPlace, writePlace } from './log-places.js';
import type { LogRecord } from './log-record.js';
import {
  blankSegment,
  changeState,
  listSegments,
  logFolder,
  type Segment,
  type SegmentState,
  segmentPath,
} from './segment-files.js';
import { type Place, SegmentReader } from './segment-reader.js';

/** Segments that are kept for later; the rest is given back to the disk. */
const FREE_MAX = 16;

const HOLDING: readonly SegmentState[] = ['open', 'full', 'broken'];

/** What is to be moved from one segment. */
interface Piece {
  readonly segment: Segment;
  readonly reader: SegmentReader;
  readonly records: readonly LogRecord[];
  readonly place: Place | null;
}

/**
 * Moves what the appenders have written to their logs into the tables, many frames in one transaction, which also says
 * how far each segment has been moved: so each frame is moved once, whatever happens in between.
 */
export class LogMover {
  readonly #store: LocalStore;
  readonly #folder: string;
  readonly #write: (writes: () => void, bytes: number) => Promise<void>;
  readonly #readers = new Map<string, SegmentReader>();
  #underWay: Promise<boolean> | null = null;
  #next: Promise<boolean> | null = null;

  /** @param write all of it durable in one transaction, or none; `bytes` is about how much it is */
  constructor(store: LocalStore, write: (writes: () => void, bytes: number) => Promise<void>) {
    this.#store = store;
    this.#folder = logFolder(store.folder);
    this.#write = write;
  }

  /** All that is there now, while nothing else happens: for the start. @throws Error the tables take no writes */
  moveAllAtOnce(): void {
    for (;;) {
      const pieces = this.#collect();
      if (pieces.some(hasRecords)) this.#store.transact(() => this.#put(pieces));
      if (!this.#finish(pieces)) return;
    }
  }

  /**
   * Resolves when all that was durable in a log when this was called is in the tables: true when there was anything.
   * Rejects when they take no writes.
   */
  move(): Promise<boolean> {
    if (this.#underWay === null) {
      this.#underWay = this.#moveAll().finally(() => {
        this.#underWay = null;
      });
      return this.#underWay;
    }
    // What is under way may have looked already. One more look is enough for all who ask meanwhile.
    this.#next ??= this.#underWay
      .catch(() => false)
      .then((moved) => {
        this.#next = null;
        return this.move().then((again) => moved || again);
      });
    return this.#next;
  }

  /** Nothing may be under way. */
  close(): void {
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
  }

  async #moveAll(): Promise<boolean> {
    for (let moved = false; ; moved = true) {
      const pieces = this.#collect();
      if (pieces.some(hasRecords)) await this.#write(() => this.#put(pieces), bytesOf(pieces));
      if (!this.#finish(pieces)) return moved;
    }
  }

  /** Segments as they are named now, then what is in them: one that was full before it was read is read to its end. */
  #collect(): Piece[] {
    const pieces: Piece[] = [];
    let bytesLeft = GROUP_BYTES_MAX;
    for (const segment of listSegments(this.#folder)) {
      if (bytesLeft <= 0) break;
      if (!HOLDING.includes(segment.state)) continue;
      const reader = this.#readerOf(segment);
      if (reader === null) continue;
      const { records, place } = reader.read(bytesLeft);
      for (const { value } of records) bytesLeft -= value.length;
      pieces.push({ segment, reader, records, place });
    }
    return pieces;
  }

  #readerOf(segment: Segment): SegmentReader | null {
    const known = this.#readers.get(segment.id);
    if (known !== undefined) return known;
    try {
      this.#store.refresh();
      const place = readPlace(this.#store.meta, segment.id);
      const reader = new SegmentReader(this.#folder, segment, place);
      this.#readers.set(segment.id, reader);
      return reader;
    } catch {
      // Its appender has just renamed it: it is found under its new name at the next look.
      return null;
    }
  }

  #put(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      if (!hasRecords(piece)) continue;
      for (const { key, value, isKeyed } of piece.records) {
        this.#store.frames.put(key as Buffer, value as Buffer);
        if (isKeyed) recordKeys(this.#store, decodeRecord(value));
      }
      writePlace(this.#store, piece.segment.id, piece.place!);
    }
  }

  /** True when there may be more. */
  #finish(pieces: readonly Piece[]): boolean {
    let isMore = false;
    for (const { segment, reader, records, place } of pieces) {
      if (records.length > 0) {
        reader.moved(place!);
        isMore = true;
      } else if (segment.state !== 'open') {
        this.#free(segment, reader);
      }
    }
    return isMore;
  }

  /** All of it is in the tables. */
  #free(segment: Segment, reader: SegmentReader): void {
    const isKept =
      segment.state === 'full' &&
      reader.isWhole &&
      listSegments(this.#folder).filter(({ state }) => state === 'free').length < FREE_MAX;
    reader.close();
    this.#readers.delete(segment.id);
    try {
      if (isKept) {
        blankSegment(this.#folder, segment);
        changeState(this.#folder, segment, 'free');
      } else rmSync(segmentPath(this.#folder, segment), { force: true });
    } catch {
      // It stays as it is, and is looked at again.
    }
  }
}

function bytesOf(pieces: readonly Piece[]): number {
  let bytes = 0;
  for (const { records } of pieces) for (const { value } of records) bytes += value.length;
  return bytes;
}

function hasRecords({ records }: Piece): boolean {
  return records.length > 0;
}
