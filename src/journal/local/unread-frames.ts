import type { LoggedFrame } from './live-segment.js';

/** So long until the next try to read a frame: a disk in trouble can take seconds for each. */
const AGAIN_MS = 1000;

/** Frames of the log that could not be read, or not be set aside. */
export class UnreadFrames {
  readonly #known = new Map<
    LoggedFrame,
    { readonly fault: string; readonly againTickMs: number }
  >();

  /** Why one of them could not be read, in one line; empty when there is none. */
  get fault(): string {
    for (const { fault } of this.#known.values()) return fault;
    return '';
  }

  /** Whether it can be tried again now. */
  isDue(frame: LoggedFrame): boolean {
    const known = this.#known.get(frame);
    return known === undefined || known.againTickMs <= performance.now();
  }

  /** @param onFirst called with the fault, if the frame was not among them */
  add(frame: LoggedFrame, { message }: Error, onFirst: (fault: string) => void): void {
    const fault = `frame ${frame.id} in the log cannot be read: ${message}`;
    const isFirst = !this.#known.has(frame);
    this.#known.set(frame, { fault, againTickMs: performance.now() + AGAIN_MS });
    if (isFirst) onFirst(fault);
  }

  /** It was read, or has left. */
  remove(frame: LoggedFrame): void {
    this.#known.delete(frame);
  }
}
