import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import type { Log } from '../../model/log.js';
import { sealBytes, unsealBytes } from '../frame/checksum.js';
import { GENERATION_BYTES } from '../frame/generation.js';
import { decodeFresh, freshFacts } from '../store/frame-rows.js';
import { GROUP_BYTES_MAX } from '../store/grouped-writes.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore, Table } from '../store/local-store.js';
import { isEnded } from '../store/receipt-rows.js';
import { setAside } from '../store/set-aside.js';
import type { FoundRecords, Hole, LogPosition } from './segment-content.js';
import {
  changeState,
  listSegments,
  logFolder,
  markFree,
  type Segment,
  type SegmentState,
  segmentPath,
} from './segment-files.js';
import { SegmentReader } from './segment-reader.js';

/** Free segments that are kept; the others are deleted, and all of them while the disk has no space for frames. */
const FREE_MAX = 16;

const UNCOPIED: readonly SegmentState[] = ['open', 'full', 'broken'];

/** Keys of the rows of `meta` with the positions up to which segments were copied. */
const KEY_PREFIX = 'log/';
/** `0` is the character after `/`. */
const POSITION_ROWS = {
  start: Buffer.from(KEY_PREFIX, 'latin1'),
  end: Buffer.from('log0', 'latin1'),
};

/** What a checkpoint copies from one segment. */
interface SegmentRecords extends FoundRecords {
  readonly segment: Segment;
  readonly reader: SegmentReader;
}

interface ReadResult {
  readonly pieces: readonly SegmentRecords[];
  /** Whether it includes everything that was durable when it began. */
  readonly isAll: boolean;
}

/**
 * Copies what the appenders have written to their logs into the tables, many frames per transaction. The same
 * transaction stores the position up to which each segment was copied, so each frame is copied exactly once, whatever
 * happens in between.
 */
export class LogCheckpoint {
  readonly #store: LocalStore;
  readonly #folder: string;
  readonly #write: (writes: () => void, bytes: number) => Promise<void>;
  readonly #log: Log;
  readonly #readers = new Map<string, SegmentReader>();
  /** Segments whose position in the tables cannot be read: their frames are looked for one by one. */
  readonly #doubtful = new Set<string>();
  /** Segments in which something was damaged: they are not used again. */
  readonly #damaged = new Set<string>();
  #isStart = false;
  #underWay: Promise<boolean> | null = null;
  #next: Promise<boolean> | null = null;

  /** @param write makes all of it durable in one transaction, or none of it; `bytes` is its approximate size */
  constructor(
    store: LocalStore,
    write: (writes: () => void, bytes: number) => Promise<void>,
    log: Log,
  ) {
    this.#log = log;
    this.#store = store;
    this.#folder = logFolder(store.folder);
    this.#write = write;
  }

  /**
   * Copies everything at once, for the start, while no other thread writes.
   * @throws Error the tables take no writes
   */
  runAtStart(): void {
    this.#isStart = true;
    for (;;) {
      const { pieces, isAll } = this.#read();
      this.#setAside(pieces);
      if (pieces.some(hasNews)) this.#store.transact(() => this.#put(pieces));
      this.#finish(pieces);
      if (isAll) break;
    }
    this.#isStart = false;
    removeStalePositions(this.#store, this.#folder);
  }

  /**
   * Resolves when everything that was durable in a log at the time of the call is in the tables; true when anything
   * was copied.
   * @throws Error the tables take no writes
   */
  run(): Promise<boolean> {
    if (this.#underWay === null) {
      this.#underWay = this.#runOnce().finally(() => {
        this.#underWay = null;
      });
      return this.#underWay;
    }
    // The run in progress may have read already. One more run is enough for all callers until it begins.
    this.#next ??= this.#underWay
      .catch(() => false)
      .then((copied) => {
        this.#next = null;
        return this.run().then((again) => copied || again);
      });
    return this.#next;
  }

  /** No run may be in progress. */
  close(): void {
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
  }

  /**
   * Stops at what was there when it began: under load there is always more, and the callers would never be answered.
   */
  async #runOnce(): Promise<boolean> {
    for (let copied = false; ; ) {
      const { pieces, isAll } = this.#read();
      this.#setAside(pieces);
      if (pieces.some(hasNews)) {
        await this.#write(() => this.#put(pieces), bytesOf(pieces));
        copied = true;
      }
      this.#finish(pieces);
      if (isAll) return copied;
    }
  }

  /** Lists the segments first and reads them after that: one that was full when it was listed is read to its end. */
  #read(): ReadResult {
    const pieces: SegmentRecords[] = [];
    let isAll = true;
    let bytesLeft = GROUP_BYTES_MAX;
    for (const segment of listSegments(this.#folder)) {
      if (!UNCOPIED.includes(segment.state)) continue;
      if (bytesLeft <= 0) return { pieces, isAll: false };
      const reader = this.#readerOf(segment);
      if (reader === null) {
        isAll = false;
        continue;
      }
      const found = reader.read(bytesLeft, segment.state === 'open');
      for (const { value } of found.records) bytesLeft -= value.length;
      isAll &&= found.isAll;
      pieces.push({ segment, reader, ...found });
    }
    return { pieces, isAll };
  }

  /** Null when its appender has just renamed it: the next run finds it under its new name. */
  #readerOf(segment: Segment): SegmentReader | null {
    const known = this.#readers.get(segment.id);
    if (known !== undefined) return known;
    this.#store.refresh();
    const from = this.#positionOf(segment.id);
    try {
      const reader = new SegmentReader(this.#folder, segment, from);
      this.#readers.set(segment.id, reader);
      return reader;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && segment.state === 'open')
        return null;
      throw error;
    }
  }

  #positionOf(id: string): LogPosition | null {
    try {
      return readPosition(this.#store.meta, id);
    } catch (error) {
      this.#doubtful.add(id);
      const { message } = error as Error;
      this.#log('log-damaged', `the position of the segment ${id} is damaged: ${message}`);
      return null;
    }
  }

  /**
   * Before the transaction that marks the segment as copied: a crash in between repeats this, with the same file.
   * @throws Error the disk takes no files
   */
  #setAside(pieces: readonly SegmentRecords[]): void {
    for (const { segment, holes, end } of pieces) {
      for (const hole of holes) {
        const { verdict, position, bytes, reason } = hole;
        if (verdict === 'torn') continue;
        const use = end === null ? '' : `${end.generation.toString('hex')}-`;
        const from = `segment ${segment.id}, position ${position}`;
        const facts = { what: 'log record', from, name: frameIdIn(hole), reason };
        const kind = verdict === 'damaged' ? verdict : 'torn';
        const file = `${segment.id.slice(0, ID_CHARS_MAX)}-${use}${position}`;
        setAside(this.#store.folder, file, kind, facts, bytes);
      }
    }
  }

  #put(pieces: readonly SegmentRecords[]): void {
    for (const piece of pieces) {
      if (!hasNews(piece)) continue;
      for (const { key, value, isKeyed } of piece.records) {
        if (this.#isKnown(piece.segment, key as Buffer)) continue;
        this.#store.frames.put(key as Buffer, value as Buffer);
        if (isKeyed) this.#putKeys(key as Buffer, value as Buffer);
      }
      if (piece.end !== null) writePosition(this.#store, piece.segment.id, piece.end);
    }
  }

  /** A segment can be found twice: a copy of its file, or one whose position is not known. */
  #isKnown({ id }: Segment, key: Buffer): boolean {
    if (!this.#isStart && !this.#doubtful.has(id)) return false;
    return isEnded(this.#store, freshFacts(key).id);
  }

  /** A record whose checksum holds and which cannot be decoded is reported when it is delivered. */
  #putKeys(key: Buffer, value: Buffer): void {
    try {
      recordKeys(this.#store, decodeFresh(key, value));
    } catch {
      return;
    }
  }

  #finish(pieces: readonly SegmentRecords[]): void {
    for (const { segment, reader, end, holes, isAll } of pieces) {
      for (const hole of holes) this.#report(segment, hole);
      if (end !== null) reader.copied(end);
      if (isAll && segment.state !== 'open') this.#free(segment, reader, end);
    }
  }

  #report({ id }: Segment, hole: Hole): void {
    const { verdict, position, bytes, reason } = hole;
    const where = `segment ${id}, position ${position}, ${bytes.length} bytes: ${reason}`;
    if (verdict === 'damaged') {
      this.#damaged.add(id);
      const text = `a record of the frame log is damaged and was set aside: ${where}; see forebay dlq unreadable`;
      this.#log('log-damaged', text);
    } else if (verdict === 'unknown') {
      this.#log('log-torn', `a record of the frame log is incomplete and was set aside: ${where}`);
    } else this.#log('log-torn', `a record of the frame log is incomplete: ${where}`);
  }

  /** The tables have all of it. */
  #free(segment: Segment, reader: SegmentReader, end: LogPosition | null): void {
    const isKept =
      segment.state === 'full' &&
      !this.#damaged.has(segment.id) &&
      reader.isFullSize &&
      this.#store.shortage === '' &&
      listSegments(this.#folder).filter(({ state }) => state === 'free').length < FREE_MAX;
    reader.close();
    this.#readers.delete(segment.id);
    this.#damaged.delete(segment.id);
    try {
      if (isKept) {
        if (end !== null) markFree(this.#folder, segment, end.generation);
        changeState(this.#folder, segment, 'free');
      } else rmSync(segmentPath(this.#folder, segment), { force: true });
    } catch {
      // It stays as it is and is checked again.
    }
  }
}

function bytesOf(pieces: readonly SegmentRecords[]): number {
  let bytes = 0;
  for (const { records } of pieces) for (const { value } of records) bytes += value.length;
  return bytes;
}

function hasNews({ records, holes }: FoundRecords): boolean {
  return records.length + holes.length > 0;
}

/** A name of a stranger can be as long as a file name may be; a set-aside file has a longer one. */
const ID_CHARS_MAX = 64;

/** What a frame id looks like: see model/frame.ts. */
const FRAME_ID = /[0-9A-HJKMNP-TV-Z]{26}/;
/** The id is in the key, and in the header. */
const ID_WITHIN_BYTES = 256;

/** The first frame id in the bytes; empty when there is none. */
function frameIdIn({ bytes }: Hole): string {
  return FRAME_ID.exec(bytes.toString('latin1', 0, ID_WITHIN_BYTES))?.[0] ?? '';
}

const POSITION_BYTES = GENERATION_BYTES + 4;

/**
 * Row of the table `meta` per segment: its generation, then the position up to which it was copied (4 bytes, big
 * endian).
 * @throws Error the row is not as it was written
 */
export function readPosition(meta: Table, id: string): LogPosition | null {
  const key = rowKey(id);
  const found = meta.getBinary(key);
  if (found === undefined) return null;
  const row = unsealBytes(found, key, POSITION_BYTES);
  return {
    generation: Buffer.from(row.subarray(0, GENERATION_BYTES)),
    position: row.readUInt32BE(GENERATION_BYTES),
  };
}

/** To be called inside a write transaction. */
function writePosition(store: LocalStore, id: string, { generation, position }: LogPosition): void {
  const key = rowKey(id);
  const row = Buffer.alloc(POSITION_BYTES);
  generation.copy(row);
  row.writeUInt32BE(position, GENERATION_BYTES);
  store.meta.put(key, sealBytes(row, key));
}

/**
 * Removes the rows of segments that no longer exist. For the start only: it waits until their deletion is durable,
 * because a segment that came back after a power cut would be copied twice.
 */
function removeStalePositions(store: LocalStore, folder: string): void {
  const there = new Set(listSegments(folder).map(({ id }) => rowKey(id).toString('latin1')));
  const gone = Array.from(store.meta.getKeys(POSITION_ROWS), (key) => Buffer.from(key)).filter(
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
  return Buffer.from(`${KEY_PREFIX}${id}`, 'latin1');
}
