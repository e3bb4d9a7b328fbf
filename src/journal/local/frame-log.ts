import { type LogRow, recordBytes } from '../frame/log-record.js';
import {
  changeState,
  listSegments,
  logFolder,
  makeSegment,
  SEGMENT_BYTES,
  SEGMENTS_MAX,
  type Segment,
} from './segment-files.js';
import { SegmentWriter } from './segment-writer.js';

/** How long no segment is looked for after none was available, to spare a disk in trouble. */
const COOLDOWN_MS = 1000;
/** How old the last check of the file may be. */
const CHECK_MS = 20;

/**
 * The writing side of the local journal's log: one per intake thread. For each transaction, LMDB needs two flushes and
 * copies pages of its trees. A frame in the log is one write into allocated blocks, and stays there until it is settled:
 * see logged-frames.ts.
 */
export class FrameLog {
  readonly #folder: string;
  readonly #hasSpaceFor: (bytes: number) => boolean;
  #current: SegmentWriter | null = null;
  /** The segment after the current one. It is made ahead of time, because that takes longer than a commit may. */
  #next: SegmentWriter | null = null;
  #preparing: Promise<void> | null = null;
  #cooldownUntilMs = 0;
  #checkedAtMs = 0;
  #closed = false;

  /** @param hasSpaceFor whether the disk has space for this many more bytes */
  constructor(dataFolder: string, hasSpaceFor: (bytes: number) => boolean) {
    this.#folder = logFolder(dataFolder);
    this.#hasSpaceFor = hasSpaceFor;
    this.#prepare();
  }

  /** Resolves when there is a segment to write to, or none is available. */
  async prepared(): Promise<void> {
    await this.#preparing;
  }

  /**
   * Resolves when the frame is durable; rejects when it is unknown whether it is. Null when there is no segment for
   * it, so that the caller must store it elsewhere. The row's bytes must not change until the promise settles.
   */
  append(row: LogRow): Promise<void> | null {
    if (recordBytes(row) > SEGMENT_BYTES) return null;
    if (this.#mustLeave(row)) this.#retireCurrent();
    if (this.#current === null) {
      this.#current = this.#next;
      this.#next = null;
      this.#prepare();
      if (this.#current === null) return null;
    }
    return this.#current.append(row).catch((error) => {
      if (this.#current?.isBroken) this.#retireCurrent();
      throw error;
    });
  }

  #mustLeave(row: LogRow): boolean {
    if (this.#current === null) return false;
    return this.#current.isBroken || !this.#current.hasSpaceFor(row) || this.#isGone(this.#current);
  }

  /** Checked at most every few milliseconds. */
  #isGone(segment: SegmentWriter): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#checkedAtMs < CHECK_MS) return false;
    this.#checkedAtMs = nowMs;
    return segment.isGone;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#preparing;
    this.#retireCurrent();
    this.#next?.retire();
    this.#next = null;
  }

  #retireCurrent(): void {
    this.#current?.retire();
    this.#current = null;
  }

  #prepare(): void {
    const nowMs = performance.now();
    if (this.#closed || this.#preparing !== null || this.#next !== null) return;
    if (nowMs < this.#cooldownUntilMs) return;
    this.#preparing = this.#claim()
      .catch(() => null)
      .then((next) => {
        this.#next = next;
        this.#preparing = null;
        if (next === null) this.#cooldownUntilMs = performance.now() + COOLDOWN_MS;
      });
  }

  async #claim(): Promise<SegmentWriter | null> {
    const segments = listSegments(this.#folder);
    for (const segment of segments) {
      const opened = segment.state === 'free' ? this.#tryOpen(segment) : null;
      if (opened !== null) return opened;
    }
    if (segments.length >= SEGMENTS_MAX || !this.#hasSpaceFor(SEGMENT_BYTES)) return null;
    return this.#open(await makeSegment(this.#folder));
  }

  #tryOpen(segment: Segment): SegmentWriter | null {
    try {
      return this.#open(changeState(this.#folder, segment, 'open'));
    } catch {
      // Another thread was faster, or the process has too many open files.
      return null;
    }
  }

  /** Nothing was written to it yet: when it cannot be opened now, another thread may use it. */
  #open(segment: Segment): SegmentWriter {
    try {
      return new SegmentWriter(this.#folder, segment);
    } catch (error) {
      changeState(this.#folder, segment, 'free');
      throw error;
    }
  }
}
