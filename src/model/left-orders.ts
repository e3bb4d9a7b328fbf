import type { Frame } from './frame.js';

/** Orders of one unsettled frame, about which a process that died has left a note. */
export interface LeftOrders {
  readonly frameId: string;
  /** Position of the first of them; the others follow it. */
  readonly first: number;
  readonly count: number;
  /** How many processes have died with them in progress, that one included; 0: they are done. */
  readonly crashes: number;
  /** No other order was in progress when the process died, so this one is to blame. */
  readonly isAlone: boolean;
}

export type LeftNote = Pick<LeftOrders, 'crashes' | 'isAlone'>;

/**
 * How far a process is with a frame, for the case that it dies. Orders from `ended` to `begun` can have been in progress,
 * those behind have not begun.
 */
export interface FrameProgress {
  /** Orders from the front that may have begun. */
  readonly begun: number;
  /** Orders from the front that have ended. */
  readonly ended: number;
  /** Positions of those of them that are not done. */
  readonly failed: readonly number[];
}

export const NOT_BEGUN: FrameProgress = { begun: 0, ended: 0, failed: [] };

/** Nothing is known about the frame: any order of it may have begun. */
export const ANY_BEGUN: FrameProgress = { ...NOT_BEGUN, begun: Number.MAX_SAFE_INTEGER };

/** Of more, the oldest are dropped: their frames are gone, or their orders are processed as if nothing were known. */
const FRAMES_MAX = 50_000;

const NONE: ReadonlyMap<number, LeftNote> = new Map();

/** What processes that died have left about frames that are not settled. Nearly always empty. */
export class LeftNotes {
  readonly #frames = new Map<string, LeftOrders[]>();

  constructor(all: readonly LeftOrders[] = []) {
    for (const orders of all) this.add(orders);
  }

  get isEmpty(): boolean {
    return this.#frames.size === 0;
  }

  add(orders: LeftOrders): void {
    const known = this.#frames.get(orders.frameId);
    if (known !== undefined) {
      known.push(orders);
      return;
    }
    this.#frames.set(orders.frameId, [orders]);
    const [oldest] = this.#frames.keys();
    if (this.#frames.size > FRAMES_MAX) this.#frames.delete(oldest!);
  }

  /** By position. Done is final; of two counts of crashes the higher one holds, so none is counted twice. */
  of({ id }: Pick<Frame, 'id'>): ReadonlyMap<number, LeftNote> {
    const known = this.#frames.get(id);
    if (known === undefined) return NONE;
    const found = new Map<number, LeftNote>();
    for (const note of known) {
      for (let position = note.first; position < note.first + note.count; position++) {
        const before = found.get(position)?.crashes;
        const isNews =
          before === undefined || note.crashes === 0 || (before > 0 && note.crashes > before);
        if (isNews) found.set(position, note);
      }
    }
    return found;
  }

  /** The frame is settled. What is still to be done of it is in other frames, which know their crashes. */
  remove(frameId: string): boolean {
    return this.#frames.delete(frameId);
  }

  all(): LeftOrders[] {
    return [...this.#frames.values()].flat();
  }
}
