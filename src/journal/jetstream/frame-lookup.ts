import { frameTimeMs } from '../../model/frame.js';
import type { FoundFrame, StreamSearch } from '../nats/stream-search.js';

/** Frames looked for at once, and of those who wait for their turn: a search takes time from the drain. */
const SEARCHES_MAX = 8;
const QUEUED_MAX = 64;

/** Frames looked at for one that is looked for, each time that somebody asks. */
const SCAN_MAX = 1000;

/** Searches that were broken off: who asks again has them gone on with. */
const BROKEN_OFF_MAX = 1000;

/**
 * How long after its end nothing more can be stored in a span of time, whatever is not known of the server's clock. Only
 * then may what was looked at be left out the next time: even a server that has lost its last messages, and
 * gives their numbers to others, puts none of those in that span.
 */
const OVER_MS = 3000;

/** A stream of so few is looked through whatever the times say. */
const SMALL_STREAM = 256;

/** How far the clocks of processes that share the stream may be apart. */
const CLOCKS_MS = 1000;
/** And how far what is known of the server's clock may be off. */
const ERROR_MS = 50;

/** Where frames were seen, so that who asks again and again costs one look each time. */
const SEEN_MAX = 10_000;

/** Where a search goes on. */
interface Place {
  /** Which of the spans of time. */
  readonly span: number;
  readonly seq: number;
}

const BEGINNING: Place = { span: 0, seq: 0 };

/** Finds out whether a fresh frame waits in the stream, at a bounded cost. */
export class FrameLookup {
  readonly #search: Pick<StreamSearch, 'stored' | 'size' | 'at'>;
  readonly #spansMs: readonly (readonly [number, number])[];
  readonly #scanMax: number;
  readonly #underWay = new Map<string, Promise<number>>();
  readonly #queue: (() => void)[] = [];
  readonly #seen = new Map<string, number>();
  readonly #brokenOff = new Map<string, Place>();
  #searches = 0;

  /** @param commitMsMax what may pass between the time in a frame's id and its being stored */
  constructor(
    search: Pick<StreamSearch, 'stored' | 'size' | 'at'>,
    commitMsMax: number,
    scanMax = SCAN_MAX,
  ) {
    this.#search = search;
    // Nearly always in the first.
    this.#spansMs = [
      [-ERROR_MS, commitMsMax],
      [-CLOCKS_MS, -ERROR_MS],
    ];
    this.#scanMax = scanMax;
  }

  /**
   * The orders of the frame if it waits in the stream, else 0.
   *
   * @throws Error when that cannot be told: NATS does not answer, or it takes more than may be spent on it at once;
   *   who asks again some seconds later is told, after a few times
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
    const orders = await this.#findInSpans(frameId, timeMs);
    if (orders > 0) return orders;
    if ((await this.#search.size()) <= SMALL_STREAM) {
      return this.#scan(frameId, this.#search.stored(Number.NEGATIVE_INFINITY), null);
    }
    if (timeMs <= Date.now() + CLOCKS_MS) return 0;
    throw new Error('the clock was set back: the time of the frame does not say where it is');
  }

  /** From there on where it was broken off the last time. */
  async #findInSpans(frameId: string, timeMs: number): Promise<number> {
    const from = this.#brokenOff.get(frameId) ?? BEGINNING;
    for (let span = from.span; span < this.#spansMs.length; span++) {
      const [fromMs, toMs] = this.#spansMs[span]!;
      const isOver = Date.now() > timeMs + toMs + OVER_MS;
      const seq = span === from.span ? from.seq : 0;
      const frames = this.#search.stored(timeMs + fromMs, timeMs + toMs, seq);
      const orders = await this.#scan(frameId, frames, isOver ? span : null);
      if (orders > 0) return orders;
    }
    return 0;
  }

  /** @param span which one the frames are of, if the search may be gone on with; else null */
  async #scan(
    frameId: string,
    frames: AsyncIterable<FoundFrame>,
    span: number | null,
  ): Promise<number> {
    let scanned = 0;
    for await (const found of frames) {
      if (found.frameId === frameId) {
        keep(this.#seen, SEEN_MAX, frameId, found.seq);
        return found.count;
      }
      if (++scanned < this.#scanMax) continue;
      if (span !== null) {
        keep(this.#brokenOff, BROKEN_OFF_MAX, frameId, { span, seq: found.seq + 1 });
      }
      throw new Error('too many frames were stored at that time');
    }
    return 0;
  }
}

/** The oldest goes when there are too many. */
function keep<T>(map: Map<string, T>, max: number, key: string, value: T): void {
  map.set(key, value);
  if (map.size <= max) return;
  const [oldest] = map.keys();
  map.delete(oldest!);
}
