import { setTimeout as sleep } from 'node:timers/promises';
import { readMetric } from '../../k6/lib/metrics-text.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';

/** Five readings span a little less than a second, although each is some milliseconds late. */
const READ_MS = 245;
const ANSWER_MS_MAX = 5_000;
const BYTES_PER_MB = 1024 * 1024;

/** One look at a server's /metrics: totals since it started, and gauges. */
export interface Reading {
  /** The server's clock: seconds since it started. NaN where it is not reported. */
  readonly uptimeS: number;
  readonly created: number;
  readonly refused: number;
  readonly done: number;
  readonly error: number;
  /** Admitted to the handler: what the drain rate limits. NaN where it is not reported. */
  readonly admitted: number;
  readonly pendingOrders: number;
  readonly oldestAgeS: number;
  readonly waitingOrders: number;
  readonly retries: number;
  readonly dead: number;
  readonly lagMs: number;
  readonly residentMb: number;
  readonly cpuS: number;
  readonly commit: Sum;
  readonly frameOrders: Sum;
  readonly handler: Sum;
  readonly orderAge: Sum;
  /** What an accepted order survives. */
  readonly durability: string;
}

/** Of a histogram: the sum of what was observed, and how often. */
export interface Sum {
  readonly sum: number;
  readonly count: number;
}

/** What a server showed while it was watched. */
export interface Watched {
  /** In order of time; at least one. */
  readonly readings: readonly Reading[];
  /** Epoch milliseconds of uptime 0, by the clock of this process. */
  readonly bootMs: number;
}

/** Reads a server's metrics all through a run. */
export class ServerWatch {
  readonly #adminUrl: string;
  readonly #token: string | null;
  readonly #onReading: (reading: Reading) => void;
  readonly #readings: Reading[] = [];
  readonly #ended = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  #bootMs = Number.NaN;
  #roundTripMs = Number.POSITIVE_INFINITY;

  private constructor(
    adminUrl: string,
    token: string | null,
    onReading: (reading: Reading) => void,
  ) {
    this.#adminUrl = adminUrl;
    this.#token = token;
    this.#onReading = onReading;
  }

  /**
   * @param token what the admin server asks for; null if it asks for none
   * @throws OperatorFault the metrics cannot be read
   */
  static async begin(
    adminUrl: string,
    token: string | null,
    onReading: (reading: Reading) => void = () => {},
  ): Promise<ServerWatch> {
    const watch = new ServerWatch(adminUrl, token, onReading);
    await watch.#read();
    watch.#reading = watch.#readOn();
    return watch;
  }

  /**
   * Waits up to `settleMsMax` until the server has processed what it accepted, and ends the watch.
   *
   * @throws OperatorFault the metrics can no longer be read
   */
  async end(settleMsMax: number): Promise<Watched> {
    const deadlineMs = performance.now() + settleMsMax;
    let last = await this.#read();
    while (!this.#isSettled(last) && performance.now() < deadlineMs) {
      await sleep(READ_MS);
      last = await this.#read();
    }
    this.stop();
    await this.#reading;
    return { readings: this.#readings, bootMs: this.#bootMs };
  }

  stop(): void {
    this.#ended.abort();
  }

  #isSettled(last: Reading): boolean {
    const first = this.#readings[0]!;
    return !(last.pendingOrders > 0) && last.done - first.done === last.created - first.created;
  }

  /** At multiples of READ_MS, so that a slow answer does not shift those after it. */
  async #readOn(): Promise<void> {
    const { signal } = this.#ended;
    const firstMs = performance.now();
    for (let n = 1; !signal.aborted; n++) {
      const aheadMs = firstMs + n * READ_MS - performance.now();
      if (aheadMs < -READ_MS) continue;
      await sleep(Math.max(0, aheadMs), undefined, { signal }).catch(() => {});
      // A reading that fails leaves a longer span between its neighbours.
      if (!signal.aborted) await this.#read().catch(() => {});
    }
  }

  async #read(): Promise<Reading> {
    const sentMs = Date.now();
    const text = await metricsText(this.#adminUrl, this.#token);
    const roundTripMs = Date.now() - sentMs;
    const reading = readingOf(text);
    // Two readings can be under way at the end: what is older than the last one is not needed.
    if (reading.uptimeS <= (this.#readings.at(-1)?.uptimeS ?? -1)) return reading;
    if (!(roundTripMs >= this.#roundTripMs)) {
      this.#roundTripMs = roundTripMs;
      this.#bootMs = sentMs + roundTripMs / 2 - reading.uptimeS * 1000;
    }
    this.#readings.push(reading);
    this.#onReading(reading);
    return reading;
  }
}

async function metricsText(adminUrl: string, token: string | null): Promise<string> {
  const url = `${adminUrl}/metrics`;
  let remedy = 'start the server, name its --admin-url, or give --admin-url none';
  try {
    const response = await fetch(url, {
      headers: token === null ? {} : { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    if (response.status === 401) remedy = 'name the --admin-token-file that the server has';
    if (response.status !== 200) throw new Error(`the answer is ${response.status}`);
    return await response.text();
  } catch (error) {
    const { message, cause } = error as Error;
    const why = (cause as Error | undefined)?.message || message;
    throw new OperatorFault(`cannot read ${url} (${why}): ${remedy}`, EXIT.failed);
  }
}

/** @param text the answer of /metrics */
export function readingOf(text: string): Reading {
  const read = (name: string, label?: string) => readMetric(text, name, label) || 0;
  const sum = (name: string) => ({ sum: read(`${name}_sum`), count: read(`${name}_count`) });
  return {
    uptimeS: readMetric(text, 'process_uptime_seconds'),
    created: read('forebay_http_responses_total', 'status="200"'),
    refused: read('forebay_http_responses_total', 'status="500"'),
    done: read('work_done_total', 'status="done"'),
    error: read('work_done_total', 'status="error"'),
    admitted: readMetric(text, 'forebay_admitted_orders_total'),
    // An absent gauge must not pass for an empty backlog.
    pendingOrders: readMetric(text, 'forebay_journal_pending_orders'),
    oldestAgeS: read('forebay_journal_oldest_age_seconds'),
    waitingOrders: read('forebay_waiting_orders'),
    retries: read('forebay_retries_total'),
    dead: read('forebay_dead_total'),
    lagMs: longestLagS(text) * 1000,
    residentMb: read('process_resident_memory_bytes') / BYTES_PER_MB,
    cpuS: read('process_cpu_seconds_total'),
    commit: sum('forebay_commit_duration_seconds'),
    frameOrders: sum('forebay_frame_orders'),
    handler: sum('forebay_handler_duration_seconds'),
    orderAge: sum('forebay_order_age_seconds'),
    durability:
      /forebay_durability_info\{[^}]*class="([^"]+)"[^}]*\} 1/.exec(text)?.[1] ?? 'unknown',
  };
}

/** Over all threads. */
function longestLagS(text: string): number {
  const values = text.matchAll(/^forebay_event_loop_lag_seconds\{[^}]*\} (\S+)/gm);
  return Math.max(0, ...Array.from(values, ([, value]) => Number(value)));
}
