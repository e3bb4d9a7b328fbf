import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { GENERATION_BYTES } from '../frame/log-record.js';
import { decodeRecord } from '../frame/record.js';
import { GROUP_BYTES_MAX } from '../store/grouped-writes.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore, Table } from '../store/local-store.js';
import {
  blankSegment,
  changeState,
  listSegments,
  logFolder,
  type Segment,
  type SegmentState,
  segmentPath,
} from './segment-files.js';
import { type Found, type LogPosition, SegmentReader } from './segment-reader.js';

/** Segments that are kept for later; the rest is given back to the disk, and all where it has no room for frames. */
const FREE_MAX = 16;

const HOLDING: readonly SegmentState[] = ['open', 'full', 'broken'];

/** What is to be moved from one segment. */
interface Piece extends Found {
  readonly segment: Segment;
  readonly reader: SegmentReader;
}

interface Look {
  readonly pieces: readonly Piece[];
  /** All that was durable when it began is among them. */
  readonly isAll: boolean;
}

/**
 * Moves what the appenders have written to their logs into the tables, many frames in one transaction, which also says
 * how far each segment has been moved: so each frame is moved once, whatever happens in between.
 */
export class LogCheckpoint {
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
  runAtStart(): void {
    for (;;) {
      const { pieces, isAll } = this.#look();
      if (pieces.some(hasRecords)) this.#store.transact(() => this.#put(pieces));
      this.#finish(pieces);
      if (isAll) break;
    }
    removeStalePositions(this.#store, this.#folder);
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

  /** Does not go on for what comes in meanwhile: under load there is always some, and nobody would hear of the rest. */
  async #moveAll(): Promise<boolean> {
    for (let moved = false; ; ) {
      const { pieces, isAll } = this.#look();
      if (pieces.some(hasRecords)) {
        await this.#write(() => this.#put(pieces), bytesOf(pieces));
        moved = true;
      }
      this.#finish(pieces);
      if (isAll) return moved;
    }
  }

  /** Segments as they are named now, then what is in them: one that was full before it was read is read to its end. */
  #look(): Look {
    const pieces: Piece[] = [];
    let isAll = true;
    let bytesLeft = GROUP_BYTES_MAX;
    for (const segment of listSegments(this.#folder)) {
      if (!HOLDING.includes(segment.state)) continue;
      if (bytesLeft <= 0) return { pieces, isAll: false };
      const reader = this.#readerOf(segment);
      if (reader === null) {
        isAll = false;
        continue;
      }
      const found = reader.read(bytesLeft);
      for (const { value } of found.records) bytesLeft -= value.length;
      isAll &&= found.isAll;
      pieces.push({ segment, reader, ...found });
    }
    return { pieces, isAll };
  }

  /** Null when its appender has just renamed it: it is found under its new name at the next look. */
  #readerOf(segment: Segment): SegmentReader | null {
    const known = this.#readers.get(segment.id);
    if (known !== undefined) return known;
    this.#store.refresh();
    const place = readPosition(this.#store.meta, segment.id);
    try {
      const reader = new SegmentReader(this.#folder, segment, place);
      this.#readers.set(segment.id, reader);
      return reader;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && segment.state === 'open')
        return null;
      throw error;
    }
  }

  #put(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      if (!hasRecords(piece)) continue;
      for (const { key, value, isKeyed } of piece.records) {
        this.#store.frames.put(key as Buffer, value as Buffer);
        if (isKeyed) recordKeys(this.#store, decodeRecord(value));
      }
      writePosition(this.#store, piece.segment.id, piece.place!);
    }
  }

  #finish(pieces: readonly Piece[]): void {
    for (const { segment, reader, records, place, isAll } of pieces) {
      if (records.length > 0) reader.moved(place!);
      if (isAll && segment.state !== 'open') this.#free(segment, reader);
    }
  }

  /** All of it is in the tables. */
  #free(segment: Segment, reader: SegmentReader): void {
    const isKept =
      segment.state === 'full' &&
      reader.isWhole &&
      this.#store.shortage === '' &&
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

function hasRecords({ records }: Found): boolean {
  return records.length > 0;
}

const PREFIX = 'log/';
/** `0` is what comes behind `/`. */
const ROWS = { start: Buffer.from(PREFIX, 'latin1'), end: Buffer.from('log0', 'latin1') };

/** A row of the table `meta` a segment: its generation, then how far it has been moved (4 bytes, big endian). */
export function readPosition(meta: Table, id: string): LogPosition | null {
  const row = meta.getBinary(rowKey(id));
  if (row === undefined) return null;
  return {
    generation: Buffer.from(row.subarray(0, GENERATION_BYTES)),
    position: row.readUInt32BE(GENERATION_BYTES),
  };
}

/** To be called inside a write transaction. */
function writePosition(store: LocalStore, id: string, { generation, position }: LogPosition): void {
  const row = Buffer.alloc(GENERATION_BYTES + 4);
  generation.copy(row);
  row.writeUInt32BE(position, GENERATION_BYTES);
  store.meta.put(rowKey(id), row);
}

/**
 * Forgets segments that are there no more. For a start only: it waits until their removal is durable, for one that came
 * back after a power cut would be moved a second time.
 */
function removeStalePositions(store: LocalStore, folder: string): void {
  const there = new Set(listSegments(folder).map(({ id }) => rowKey(id).toString('latin1')));
  const gone = Array.from(store.meta.getKeys(ROWS), (key) => Buffer.from(key)).filter(
    (key) => !there.has(key.toString('latin1')),
  );
  if (gone.length === 0 || !existsSync(folder)) return;
  flushNames(folder);
  store.transact(() => {
    for (const key of gone) store.meta.remove(key);
  });
}

function flushNames(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function rowKey(id: string): Buffer {
  return Buffer.from(`${PREFIX}${id}`, 'latin1');
}
