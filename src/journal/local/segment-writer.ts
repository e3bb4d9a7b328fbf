import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, write, writev } from 'node:fs';
import {
  GENERATION_BYTES,
  type LogRow,
  nextPosition,
  recordBytes,
  recordHead,
} from '../frame/log-record.js';
import { changeState, SEGMENT_BYTES, type Segment, segmentPath } from './segment-files.js';

interface Writing {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  isWritten: boolean;
}

/**
 * A segment that one appender writes to. Several records are written at once, each by one write that returns when the
 * disk has it (O_DSYNC), and told to be durable in the order in which they lie: whoever reads after a crash stops at the
 * first that is not whole, so none behind it may have been promised.
 */
export class SegmentWriter {
  readonly #folder: string;
  readonly #segment: Segment;
  readonly #descriptor: number;
  readonly #generation = randomBytes(GENERATION_BYTES);
  readonly #writing: Writing[] = [];
  #position = 0;
  #fault: Error | null = null;
  #isRetired = false;

  /** @throws Error it cannot be opened */
  constructor(folder: string, segment: Segment) {
    this.#folder = folder;
    this.#segment = segment;
    this.#descriptor = openSync(
      segmentPath(folder, segment),
      constants.O_WRONLY | constants.O_DSYNC,
    );
  }

  /** A write has failed: what is in the file from there on nobody knows. */
  get isBroken(): boolean {
    return this.#fault !== null;
  }

  /** Somebody has removed the file: what is written to it is gone with the process. */
  get isGone(): boolean {
    return fstatSync(this.#descriptor).nlink === 0;
  }

  hasSpaceFor(row: LogRow): boolean {
    return this.#position + recordBytes(row) <= SEGMENT_BYTES;
  }

  /** Resolves when it is durable. The row's bytes must stay as they are until then. */
  append(row: LogRow): Promise<void> {
    const head = recordHead(row, this.#generation, this.#position);
    const at = this.#position;
    this.#position = nextPosition(at, recordBytes(row));
    return new Promise((resolve, reject) => {
      const writing = { resolve, reject, isWritten: false };
      this.#writing.push(writing);
      const bytes = recordBytes(row);
      writev(this.#descriptor, [head, row.value], at, (error, written) => {
        if (error !== null || written === bytes) this.#written(writing, error);
        else this.#writeOn(writing, Buffer.concat([head, row.value]), at, written);
      });
    });
  }

  /** Nothing is appended any more: once the writes under way have come back, others may have it. */
  retire(): void {
    this.#isRetired = true;
    if (this.#writing.length === 0) this.#close();
  }

  /** The system may take less at a time than it was given. */
  #writeOn(writing: Writing, record: Buffer, at: number, done: number): void {
    write(this.#descriptor, record, done, record.length - done, at + done, (error, written) => {
      if (error !== null) this.#written(writing, error);
      else if (written === 0) this.#written(writing, new Error('the disk takes nothing'));
      else if (done + written === record.length) this.#written(writing, null);
      else this.#writeOn(writing, record, at, done + written);
    });
  }

  #written(writing: Writing, error: Error | null): void {
    writing.isWritten = true;
    this.#fault ??= error;
    while (this.#writing[0]?.isWritten) {
      const { resolve, reject } = this.#writing.shift()!;
      if (this.#fault === null) resolve();
      else reject(this.#fault);
    }
    if (this.#isRetired && this.#writing.length === 0) this.#close();
  }

  #close(): void {
    closeSync(this.#descriptor);
    try {
      changeState(this.#folder, this.#segment, this.#fault === null ? 'full' : 'broken');
    } catch {
      // The folder has gone, or takes no names any more: the next start looks at every segment.
    }
  }
}
