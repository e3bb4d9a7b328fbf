import { frameTimeMs } from '../../contract/frame-time.js';
import type { FoundFrame, StreamSearch } from './stream-search.js';

/** Frames looked for at once, and of those who wait for their turn: a search takes time from the drain. */
const SEARCHES_MAX = 8;
const QUEUED_MAX = 64;

/** Frames looked at for one that is looked for. */
const SCAN_MAX = 1000;

/** A stream of so few is looked through whatever the times say. */
const SMALL_STREAM = 256;

/** How far the clocks of processes that share the stream may be apart. */
const CLOCKS_MS = 1000;
/** And how far what is known of the server's clock may be off. */
const ERROR_MS = 50;

/** Where frames were seen, so that who asks again and again costs one look each time. */
const SEEN_MAX = 10_000;

/** Finds out whether a fresh frame waits in the stream, at a bounded cost. */
export class WaitingFrames {
  readonly #search: StreamSearch;
  readonly #windowsMs: readonly (readonly [number, number])[];
  readonly #scanMax: number;
  readonly #underWay = new Map<string, Promise<number>>();
  readonly #queue: (() => void)[] = [];
  readonly #seen = new Map<string, number>();
  #searches = 0;

  /** @param commitMsMax what may pass between the time in a frame's id and its being stored */
  constructor(search: StreamSearch, commitMsMax: number, scanMax = SCAN_MAX) {
    this.#search = search;
    // Nearly always in the first.
    this.#windowsMs = [
      [-ERROR_MS, commitMsMax],
      [-CLOCKS_MS, -ERROR_MS],
    ];
    this.#scanMax = scanMax;
  }

  /**
   * The orders of the frame if it waits in the stream, else 0.
   *
   * @throws Error when that cannot be told: NATS does not answer, or it takes more than may be spent on it
   */
  ordersOf(frameId: string): Promise<number> {
    const known = this.#underWay.get(frameId);
    if (known !== undefined) return known;
    const asked = this.#inTurn(() => this.#find(frameId)).finally(() =>
      this.#underWay.delete(frameId),
    );
    this.#underWay.set(frameId, asked);
    return asked;
  }

  async #inTurn(search: () => Promise<number>): Promise<number> {
    if (this.#searches < SEARCHES_MAX) this.#searches++;
    else if (this.#queue.length >= QUEUED_MAX) throw new Error('too many are asked for at once');
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await search();
    } finally {
      const next = this.#queue.shift();
      // The place goes from one to the other.
      if (next === undefined) this.#searches--;
      else next();
    }
  }

  async #find(frameId: string): Promise<number> {
    const timeMs = frameTimeMs(frameId);
    if (Number.isNaN(timeMs)) return 0;
    const seenSeq = this.#seen.get(frameId);
    if (seenSeq !== undefined) {
      const found = await this.#search.at(seenSeq);
      if (found?.frameId === frameId) return found.count;
      this.#seen.delete(frameId);
    }
    for (const [fromMs, toMs] of this.#windowsMs) {
      const orders = await this.#scan(frameId, this.#search.stored(timeMs + fromMs, timeMs + toMs));
      if (orders > 0) return orders;
    }
    if ((await this.#search.size()) <= SMALL_STREAM) {
      return this.#scan(frameId, this.#search.stored(Number.NEGATIVE_INFINITY));
    }
    if (timeMs <= Date.now() + CLOCKS_MS) return 0;
    throw new Error('the clock was set back: the time of the frame does not say where it is');
  }

  async #scan(frameId: string, frames: AsyncIterable<FoundFrame>): Promise<number> {
    let scanned = 0;
    for await (const found of frames) {
      if (found.frameId === frameId) {
        this.#remember(found);
        return found.count;
      }
      if (++scanned > this.#scanMax) throw new Error('too many frames were stored at that time');
    }
    return 0;
  }

  #remember({ frameId, seq }: FoundFrame): void {
    this.#seen.set(frameId, seq);
    if (this.#seen.size <= SEEN_MAX) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      break;
    }
  }
}
