import type { LoggedFrame } from './live-segment.js';

/** Frames that left are taken out of the list when they are more than those that wait, and at least this many. */
const GONE_MIN = 64;

/** How far from the end the place of a frame is looked for; further away, all are sorted when they are read. */
const LOOK_BACK_MAX = 64;

/**
 * The waiting frames of the log by their id. They arrive nearly in order: the threads make ids by the clock. Those that
 * leave are mostly at the front.
 */
export class FrameOrder {
  readonly #byId = new Map<string, LoggedFrame>();
  #sorted: LoggedFrame[] = [];
  #isSorted = true;
  /** Those before this place are gone: a reader that takes a few from the front need not pass them each time. */
  #first = 0;

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): LoggedFrame | undefined {
    return this.#byId.get(id);
  }

  /** The id must not be known. */
  add(frame: LoggedFrame): void {
    this.#byId.set(frame.id, frame);
    const { length } = this.#sorted;
    let at = length;
    while (at > 0 && length - at < LOOK_BACK_MAX && this.#sorted[at - 1]!.id > frame.id) at--;
    const isFound = at === 0 || this.#sorted[at - 1]!.id < frame.id;
    this.#isSorted &&= isFound;
    if (at === length || !isFound) this.#sorted.push(frame);
    else this.#sorted.splice(at, 0, frame);
    this.#first = Math.min(this.#first, at);
  }

  remove(frame: LoggedFrame): void {
    this.#byId.delete(frame.id);
    const gone = this.#sorted.length - this.#byId.size;
    if (gone < GONE_MIN || gone <= this.#byId.size) return;
    this.#sorted = this.#sorted.filter(({ id }) => this.#byId.has(id));
    this.#first = 0;
  }

  /** By id. Frames may leave meanwhile, and no others come. */
  *[Symbol.iterator](): Iterator<LoggedFrame> {
    if (!this.#isSorted) {
      this.#sorted.sort((a, b) => (a.id < b.id ? -1 : 1));
      this.#first = 0;
    }
    this.#isSorted = true;
    const sorted = this.#sorted;
    while (this.#first < sorted.length && !this.#isHere(sorted[this.#first]!)) this.#first++;
    for (let at = this.#first; at < sorted.length; at++) {
      const frame = sorted[at]!;
      if (this.#isHere(frame)) yield frame;
    }
  }

  #isHere(frame: LoggedFrame): boolean {
    return this.#byId.get(frame.id) === frame;
  }
}
