import { rmSync } from 'node:fs';
import type { Log } from '../../model/log.js';
import { readRecord } from '../frame/log-record.js';
import { sealedRecord } from '../frame/record.js';
import { decodeFresh, freshFacts, freshKey } from '../store/frame-rows.js';
import { GROUP_BYTES_MAX } from '../store/grouped-writes.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { FrameOrder } from './frame-order.js';
import { isInTables, settledUnderOtherKeys } from './known-frames.js';
import {
  LiveSegment,
  type LoggedFrame,
  loggedFrame,
  lostRecord,
  type SegmentStep,
} from './live-segment.js';
import { dueSegment, type TidyScope } from './log-bounds.js';
import { reportHole, setHolesAside } from './log-holes.js';
import type { FoundRecords, LogPosition } from './segment-content.js';
import {
  changeState,
  listSegments,
  logFolder,
  markFree,
  SEGMENT_BYTES,
  type Segment,
  type SegmentState,
  segmentPath,
} from './segment-files.js';
import { readPosition, removeStalePositions, writePosition } from './segment-positions.js';
import { SegmentReader } from './segment-reader.js';
import { UnreadFrames } from './unread-frames.js';

/** Free segments that are kept; the others are deleted, and all of them while the disk has no space for frames. */
const FREE_MAX = 16;

/** Values that are kept in memory: what the drain takes next. The others are read when they are claimed. */
const VALUES_BYTES_MAX = 4 * 1024 ** 2;

const LIVE: readonly SegmentState[] = ['open', 'full', 'broken'];

/**
 * The frames that appenders have written to their logs and that are not settled. A frame stays where it was written
 * until it is settled, and only that is written to the tables. What stays for long, or is in the way, moves into the
 * tables: see log-bounds.ts. A row of `meta` says up to which position nothing in a segment counts; it is written
 * before the segment is used again. What lies behind that position counts, unless it is settled.
 */
export class LoggedFrames {
  readonly #store: LocalStore;
  readonly #folder: string;
  readonly #write: (writes: () => void, bytes: number) => Promise<void>;
  readonly #log: Log;
  readonly #live = new Map<string, LiveSegment>();
  readonly #frames = new FrameOrder();
  readonly #unread = new UnreadFrames();
  /** Frames that the tables know can be found; later, only new frames. */
  #isStart = false;
  #valueBytes = 0;
  /** Called with the number of its orders when a frame is found damaged that was in order once. */
  onLost: (orders: number) => void = () => {};

  /** @param write makes all of it durable in one transaction, or none of it; `bytes` is its approximate size */
  constructor(
    store: LocalStore,
    write: (writes: () => void, bytes: number) => Promise<void>,
    log: Log,
  ) {
    this.#store = store;
    this.#folder = logFolder(store.folder);
    this.#write = write;
    this.#log = log;
  }

  /** Reads all logs, for the start, while no other thread writes. @throws Error they cannot be read, or the tables take no writes */
  readAtStart(): void {
    this.#store.refresh();
    this.#isStart = true;
    this.read();
    this.#isStart = false;
    for (const frame of settledUnderOtherKeys(
      this.#store,
      this.#frames,
      this.#idMin(),
      this.#log,
    )) {
      this.settled(frame);
    }
    for (const live of [...this.#live.values()]) {
      if (live.waiting === 0 || live.leaveUpTo > live.keptPosition) this.#moveNow(live);
    }
    removeStalePositions(this.#store, this.#folder);
  }

  /** The same, and moves all frames into the tables: for a journal without a log. */
  moveAllAtStart(): void {
    this.readAtStart();
    for (const live of [...this.#live.values()]) this.#moveNow(live);
  }

  /**
   * Takes in what has become durable since; true when anything was new.
   * @throws Error a segment cannot be read, or what is damaged in it not be set aside; the others were read
   */
  read(): boolean {
    let isNew = false;
    let fault: Error | null = null;
    // Listed first and read after that: one that was full when it was listed is read to its end.
    const listed = listSegments(this.#folder);
    for (const segment of listed) {
      if (!LIVE.includes(segment.state)) continue;
      try {
        isNew = this.#readListed(segment) || isNew;
      } catch (error) {
        fault ??= error as Error;
      }
    }
    isNew = this.#readDeleted(listed) || isNew;
    if (fault !== null) throw fault;
    return isNew;
  }

  #readListed(segment: Segment): boolean {
    const live = this.#liveOf(segment);
    if (live === null) return false;
    live.segment = segment;
    return this.#readOn(live);
  }

  /** What somebody has deleted can be read as long as it is open here: its frames move into the tables. */
  #readDeleted(listed: readonly Segment[]): boolean {
    let isNew = false;
    const names = new Set(listed.map(({ id }) => id));
    for (const live of this.#live.values()) {
      // A name that changes during a look can be missed.
      if (names.has(live.segment.id) || !live.reader.isDeleted) continue;
      live.deleted();
      isNew = this.#readOn(live) || isNew;
      live.leaveUpTo = live.end?.position ?? 0;
    }
    return isNew;
  }

  /** True when anything was new. */
  #readOn(live: LiveSegment): boolean {
    let isNew = false;
    while (!live.isRead) {
      const found = live.read(SEGMENT_BYTES);
      this.#take(live, found);
      isNew ||= found.records.length + found.holes.length > 0;
      if (found.isAll) break;
    }
    return isNew;
  }

  /** Those that wait, by id; they may leave meanwhile. */
  get frames(): Iterable<LoggedFrame> & Pick<FrameOrder, 'get' | 'size'> {
    return this.#frames;
  }

  /**
   * The row of the frame as it was written; null if it was damaged since. Then it is set aside, and has left.
   * @throws Error it cannot be read, or not be set aside; it stays and is reported
   */
  valueOf(frame: LoggedFrame): Buffer | null {
    if (frame.value !== null) return frame.value;
    try {
      const value = this.#readValue(frame);
      this.#unread.remove(frame);
      return value;
    } catch (error) {
      const report = (fault: string) => this.#log('frame-unreadable', `${fault}; retried`);
      this.#unread.add(frame, error as Error, report);
      throw error;
    }
  }

  /** Why a frame that waits cannot be read; empty when none is known. */
  get fault(): string {
    return this.#unread.fault;
  }

  /** Nobody has claimed it, and it is not known that it cannot be read now. */
  isDue(frame: LoggedFrame): boolean {
    return frame.state === 'waiting' && this.#unread.isDue(frame);
  }

  #readValue(frame: LoggedFrame): Buffer | null {
    const { segment: live, position } = frame;
    const bytes = live.reader.bytesAt(position, frame.bytes);
    const { generation } = live.end!;
    const record = readRecord(bytes, generation, position);
    if (record !== null) return record.value;
    const hole = lostRecord(frame, bytes);
    setHolesAside(this.#store.folder, live.segment, { holes: [hole], end: live.end });
    reportHole(this.#log, live.segment, hole);
    live.isDamaged = true;
    this.discard(frame);
    this.onLost(frame.count);
    return null;
  }

  /** It is in somebody's hands: it stays in the log until it is settled or released. */
  claim(frame: LoggedFrame): void {
    if (frame.state !== 'waiting') return;
    frame.state = 'claimed';
    this.#forgetValue(frame);
  }

  release(frame: LoggedFrame): void {
    if (frame.state === 'claimed') frame.state = 'waiting';
  }

  /** That is durable in the tables. */
  settled(frame: LoggedFrame): void {
    if (frame.state === 'gone') return;
    this.#forgetValue(frame);
    this.#unread.remove(frame);
    this.#frames.remove(frame);
    frame.segment.remove(frame);
  }

  /** The same for a frame that a start would not know as settled: the position in the tables has to pass it. */
  discard(frame: LoggedFrame): void {
    const { segment: live, position, bytes } = frame;
    this.settled(frame);
    live.leaveUpTo = Math.max(live.leaveUpTo, position + bytes);
  }

  /** No row that says that a frame was settled may expire from this id on; null when any may. */
  keptFrom(): string | null {
    return this.#idMin() || null;
  }

  /**
   * Frees segments in which nothing counts, and moves what should leave the log into the tables, one step at a time.
   * @throws Error the tables take no writes
   */
  async tidy(scope: TidyScope): Promise<void> {
    for (;;) {
      const live = dueSegment([...this.#live.values()], this.#frames.size, scope);
      if (live === null) return;
      const step = live.step(GROUP_BYTES_MAX);
      if (step !== null) await this.#move(step);
      this.#freeIfDone(live);
      if (this.#live.has(live.segment.id) && step === null) return;
    }
  }

  close(): void {
    for (const { reader } of this.#live.values()) reader.close();
    this.#live.clear();
  }

  #idMin(): string {
    let least = '';
    for (const { idMin } of this.#live.values()) {
      if (idMin !== '' && (least === '' || idMin < least)) least = idMin;
    }
    return least;
  }

  /** Null when its appender has just renamed it: it is found under its new name later. */
  #liveOf(segment: Segment): LiveSegment | null {
    const known = this.#live.get(segment.id);
    if (known !== undefined) return known;
    this.#store.refresh();
    const from = this.#positionOf(segment.id);
    try {
      const reader = new SegmentReader(this.#folder, segment, from);
      const live = new LiveSegment(segment, reader, from);
      this.#live.set(segment.id, live);
      return live;
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
      const { message } = error as Error;
      this.#log('log-damaged', `the position of the segment ${id} is damaged: ${message}`);
      return null;
    }
  }

  #take(live: LiveSegment, found: FoundRecords): void {
    setHolesAside(this.#store.folder, live.segment, found);
    for (const record of found.records) {
      const { id } = freshFacts(record.key);
      live.note(id);
      const isKnown = this.#isStart && isInTables(this.#store, record.key);
      // A second time: in a copy of a segment.
      if (isKnown || this.#frames.get(id) !== undefined) continue;
      const frame = loggedFrame(live, record);
      this.#frames.add(frame);
      live.add(frame);
      if (this.#valueBytes + record.value.length > VALUES_BYTES_MAX) continue;
      frame.value = Buffer.from(record.value);
      this.#valueBytes += frame.value.length;
    }
    live.advance(found);
    for (const hole of found.holes) reportHole(this.#log, live.segment, hole);
  }

  #forgetValue(frame: LoggedFrame): void {
    this.#valueBytes -= frame.value?.length ?? 0;
    frame.value = null;
  }

  async #move(step: SegmentStep): Promise<void> {
    const rows = this.#rowsOf(step);
    for (const { frame } of rows) frame.state = 'moving';
    const bytes = rows.reduce((sum, { value }) => sum + value.length, 0);
    try {
      await this.#write(() => this.#put(step, rows), bytes);
    } catch (error) {
      for (const { frame } of rows) if (frame.state === 'moving') frame.state = 'waiting';
      throw error;
    }
    this.#moved(step);
  }

  /** For the start. */
  #moveNow(live: LiveSegment): void {
    for (let step = live.step(GROUP_BYTES_MAX); step !== null; ) {
      const rows = this.#rowsOf(step);
      const next = step;
      this.#store.transact(() => this.#put(next, rows));
      this.#moved(step);
      step = live.step(GROUP_BYTES_MAX);
    }
    this.#freeIfDone(live);
  }

  #rowsOf({ frames }: SegmentStep): MovingRow[] {
    return frames.flatMap((frame) => {
      const value = this.valueOf(frame);
      return value === null ? [] : [{ frame, key: freshKey(frame), value }];
    });
  }

  #put({ live, end }: SegmentStep, rows: readonly MovingRow[]): void {
    for (const { frame, key, value } of rows) {
      this.#store.frames.put(key, sealedRecord(value, key));
      if (frame.isKeyed) this.#putKeys(key, value);
    }
    writePosition(this.#store, live.segment.id, end);
  }

  /** A record whose checksum holds and which cannot be decoded is reported when it is delivered. */
  #putKeys(key: Buffer, value: Buffer): void {
    try {
      recordKeys(this.#store, decodeFresh(key, value));
    } catch {
      return;
    }
  }

  #moved({ live, frames, end }: SegmentStep): void {
    for (const frame of frames) this.settled(frame);
    live.keep(end);
  }

  /** Nothing in it counts, and the tables know that. */
  #freeIfDone(live: LiveSegment): void {
    const { segment, reader, end } = live;
    if (!live.isRead || live.waiting > 0 || !live.isKept) return;
    const isKept =
      segment.state === 'full' &&
      !live.isDamaged &&
      reader.isFullSize &&
      this.#store.shortage === '' &&
      listSegments(this.#folder).filter(({ state }) => state === 'free').length < FREE_MAX;
    reader.close();
    this.#live.delete(segment.id);
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

interface MovingRow {
  readonly frame: LoggedFrame;
  readonly key: Buffer;
  readonly value: Buffer;
}
