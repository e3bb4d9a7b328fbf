import { setTimeout as sleep } from 'node:timers/promises';
import { readServer } from '../../k6/lib/metrics-text.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';

/** Three polls span 0.9 s: the widest window that surely stays within a second. */
const POLL_MS = 300;
const WINDOW_MS_MAX = 1000;
const ANSWER_MS_MAX = 5_000;

interface Poll {
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly doneOrders: number;
  readonly created: number;
  readonly pendingOrders: number;
}

/** What the server counted since the watch began. */
export interface Watched {
  readonly doneOrders: number;
  readonly pendingOrders: number;
  /** Whether nothing waits and what was accepted was processed. */
  readonly settled: boolean;
  /** The most orders processed between two looks that span at most a second. */
  readonly doneInASecondMax: number;
  readonly windows: number;
}

/** Looks at the server's counters all through a run. */
export class ServerWatch {
  readonly #adminUrl: string;
  readonly #first: Poll;
  readonly #recent: Poll[] = [];
  readonly #ended = new AbortController();
  #looking: Promise<void> = Promise.resolve();
  #doneInASecondMax = 0;
  #windows = 0;

  private constructor(adminUrl: string, first: Poll) {
    this.#adminUrl = adminUrl;
    this.#first = first;
  }

  /** @throws OperatorFault nothing can be read there */
  static async begin(adminUrl: string): Promise<ServerWatch> {
    const first = await poll(adminUrl).catch((error: Error) => {
      const why = (error.cause as Error | undefined)?.message ?? error.message;
      const remedy = 'start the server, name its --admin-url, or give --admin-url none';
      throw new OperatorFault(
        `wave: can't read ${adminUrl}/metrics (${why}): ${remedy}`,
        EXIT.failed,
      );
    });
    const watch = new ServerWatch(adminUrl, first);
    watch.#looking = watch.#lookOn();
    return watch;
  }

  /** Waits up to `settleMsMax` for the backlog to be worked off, and stops looking. */
  async end(settleMsMax: number): Promise<Watched> {
    const deadlineMs = performance.now() + settleMsMax;
    let watched = await this.#state();
    while (!watched.settled && performance.now() < deadlineMs) {
      await sleep(POLL_MS);
      watched = await this.#state();
    }
    this.stop();
    await this.#looking;
    return { ...watched, doneInASecondMax: this.#doneInASecondMax, windows: this.#windows };
  }

  stop(): void {
    this.#ended.abort();
  }

  async #lookOn(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const now = await poll(this.#adminUrl).catch(() => null);
      if (now !== null) this.#add(now);
      await sleep(POLL_MS, undefined, { signal: this.#ended.signal }).catch(() => {});
    }
  }

  #add(now: Poll): void {
    const recent = this.#recent;
    recent.push(now);
    // Each look read the counters at some moment between its two times, so the whole span counts.
    while (recent.length > 0 && now.receivedMs - recent[0]!.sentMs > WINDOW_MS_MAX) recent.shift();
    if (recent.length < 2) return;
    this.#windows++;
    const done = now.doneOrders - recent[0]!.doneOrders;
    this.#doneInASecondMax = Math.max(this.#doneInASecondMax, done);
  }

  async #state(): Promise<Watched> {
    const now = await poll(this.#adminUrl);
    const doneOrders = now.doneOrders - this.#first.doneOrders;
    const created = now.created - this.#first.created;
    return {
      doneOrders,
      pendingOrders: now.pendingOrders,
      settled: !(now.pendingOrders > 0) && doneOrders === created,
      doneInASecondMax: this.#doneInASecondMax,
      windows: this.#windows,
    };
  }
}

async function poll(adminUrl: string): Promise<Poll> {
  const sentMs = performance.now();
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const response = await fetch(`${adminUrl}/metrics`, { signal });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${adminUrl}/metrics answers ${response.status}`);
  return { sentMs, receivedMs: performance.now(), ...readServer(text) };
}
