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
 * A segment that one appender writes to. Several records can be under way, each as one write that returns when the
 * disk has it (O_DSYNC). They are reported as durable in the order of their positions: after a crash, a reader stops
 * at the first incomplete record, so none behind it may have been confirmed.
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

  /** @throws Error the file cannot be opened */
  constructor(folder: string, segment: Segment) {
    this.#folder = folder;
    this.#segment = segment;
    this.#descriptor = openSync(
      segmentPath(folder, segment),
      constants.O_WRONLY | constants.O_DSYNC,
    );
  }

  /** A write has failed: the content of the file from there on is unknown. */
  get isBroken(): boolean {
    return this.#fault !== null;
  }

  /** The file was deleted: what is written to it is lost with the process. */
  get isGone(): boolean {
    return fstatSync(this.#descriptor).nlink === 0;
  }

  hasSpaceFor(row: LogRow): boolean {
    return this.#position + recordBytes(row) <= SEGMENT_BYTES;
  }

  /** Resolves when the row is durable. Its bytes must not change until then. */
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

  /** Ends appending: once the writes under way are done, other appenders may use the segment. */
  retire(): void {
    this.#isRetired = true;
    if (this.#writing.length === 0) this.#close();
  }

  /** The system may write less than it was given. */
  #writeOn(writing: Writing, record: Buffer, at: number, done: number): void {
    write(this.#descriptor, record, done, record.length - done, at + done, (error, written) => {
      if (error !== null) this.#written(writing, error);
      else if (written === 0) this.#written(writing, new Error('the disk takes no data'));
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
      // The folder is gone or takes no names: the next start reads every segment.
    }
  }
}
