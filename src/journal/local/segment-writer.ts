import { closeSync, constants, fstatSync, openSync, readSync, write, writev } from 'node:fs';
import { type Generation, nextGeneration } from '../frame/generation.js';
import {
  generationAt,
  type LogRow,
  nextPosition,
  PAGE_BYTES,
  readFreeMark,
  recordBytes,
  recordHead,
} from '../frame/log-record.js';
import { changeState, SEGMENT_BYTES, type Segment, segmentPath } from './segment-files.js';

interface Writing {
  readonly at: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  isWritten: boolean;
}

/**
 * A segment that one appender writes to. Several records can be under way, each as one write that returns when the
 * disk has it (O_DSYNC). They are reported as durable in the order of their positions: after a crash, no record behind
 * the first incomplete one was confirmed. Each record says up to which position the others were durable, so that a
 * reader can tell a record that was damaged later from one whose write was interrupted.
 */
export class SegmentWriter {
  readonly #folder: string;
  readonly #segment: Segment;
  readonly #descriptor: number;
  readonly #generation: Generation;
  readonly #isFirstUse: boolean;
  readonly #writing: Writing[] = [];
  #position = 0;
  #fault: Error | null = null;
  #isRetired = false;

  /** @throws Error the file cannot be opened */
  constructor(folder: string, segment: Segment) {
    this.#folder = folder;
    this.#segment = segment;
    const { previous, isFirstUse } = earlierUse(segmentPath(folder, segment));
    this.#generation = nextGeneration(previous);
    this.#isFirstUse = isFirstUse;
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

  /** Resolves when the row is durable. Its bytes must not change until the promise settles: they are not copied. */
  append(row: LogRow): Promise<void> {
    const at = this.#position;
    const head = recordHead(row, this.#generation, at, {
      isFirstUse: this.#isFirstUse,
      durable: this.#writing[0]?.at ?? at,
    });
    this.#position = nextPosition(at, recordBytes(row));
    return new Promise((resolve, reject) => {
      const writing = { at, resolve, reject, isWritten: false };
      this.#writing.push(writing);
      const bytes = recordBytes(row);
      writev(this.#descriptor, [head, row.payload], at, (error, written) => {
        if (error !== null || written === bytes) this.#written(writing, error);
        else this.#writeOn(writing, Buffer.concat([head, row.payload]), at, written);
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

/** A segment that was never used has a first page of zeros. */
function earlierUse(path: string): { previous: Generation | null; isFirstUse: boolean } {
  const page = Buffer.alloc(PAGE_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    const bytes = readSync(descriptor, page, 0, PAGE_BYTES, 0);
    const previous = readFreeMark(page) ?? generationAt(page);
    return { previous, isFirstUse: bytes === PAGE_BYTES && page.every((byte) => byte === 0) };
  } finally {
    closeSync(descriptor);
  }
}
