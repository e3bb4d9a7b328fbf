import { setTimeout as sleep } from 'node:timers/promises';
import { readMetric } from '../../k6/lib/metrics-text.js';
import { STATUSES, type Status } from '../../src/model/answers.js';

/** One look at a server's /metrics: totals since it started, and gauges. */
export interface Sample {
  /** Epoch milliseconds: the middle between asking and having the answer. */
  readonly atMs: number;
  readonly answers: Readonly<Record<Status, number>>;
  readonly done: number;
  readonly error: number;
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
}

/** Of a histogram: what was observed, added up, and how often. */
export interface Sum {
  readonly sum: number;
  readonly count: number;
}

const ANSWER_MS_MAX = 5_000;
const BYTES_PER_MB = 1024 * 1024;

/** @throws Error it can't be read */
async function takeSample(adminUrl: string): Promise<Sample> {
  const sentMs = Date.now();
  const text = await readText(`${adminUrl}/metrics`);
  return sampleOf(text, (sentMs + Date.now()) / 2);
}

/** @returns what an accepted order survives: the class that the server shows */
export async function durabilityOf(adminUrl: string): Promise<string> {
  const text = await readText(`${adminUrl}/metrics`);
  return /forebay_durability_info\{[^}]*class="([^"]+)"[^}]*\} 1/.exec(text)?.[1] ?? 'unknown';
}

async function readText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
  return text;
}

/** @param text the answer of /metrics */
export function sampleOf(text: string, atMs: number): Sample {
  const read = (name: string, label?: string) => readMetric(text, name, label) || 0;
  const sum = (name: string) => ({ sum: read(`${name}_sum`), count: read(`${name}_count`) });
  const answers = Object.fromEntries(
    STATUSES.map((status) => [status, read('forebay_http_responses_total', `status="${status}"`)]),
  );
  return {
    atMs,
    answers: answers as Record<Status, number>,
    done: read('work_done_total', 'status="done"'),
    error: read('work_done_total', 'status="error"'),
    pendingOrders: read('forebay_journal_pending_orders'),
    oldestAgeS: read('forebay_journal_oldest_age_seconds'),
    waitingOrders: read('forebay_waiting_orders'),
    retries: read('forebay_retries_total'),
    dead: read('forebay_dead_total'),
    lagMs: greatest(text, 'forebay_event_loop_lag_seconds') * 1000,
    residentMb: read('process_resident_memory_bytes') / BYTES_PER_MB,
    cpuS: read('process_cpu_seconds_total'),
    commit: sum('forebay_commit_duration_seconds'),
    frameOrders: sum('forebay_frame_orders'),
    handler: sum('forebay_handler_duration_seconds'),
    orderAge: sum('forebay_order_age_seconds'),
  };
}

/** Over the threads. */
function greatest(text: string, name: string): number {
  const values = text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\S+)`, 'gm'));
  return Math.max(0, ...Array.from(values, ([, value]) => Number(value)));
}

const EVERY_MS = 1000;

/** Looks at a server's metrics once a second. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #adminUrl: string;
  readonly #onSample: (sample: Sample) => void;
  readonly #ended = new AbortController();
  #looking: Promise<void> = Promise.resolve();

  constructor(adminUrl: string, onSample: (sample: Sample) => void) {
    this.#adminUrl = adminUrl;
    this.#onSample = onSample;
  }

  /** @throws Error the first look failed */
  async begin(): Promise<void> {
    await this.#look();
    this.#looking = this.#lookOn();
  }

  /**
   * Goes on for another second, so that the pictures end with the rest after the wave, and looks a
   * last time, so that nothing that was counted is missing.
   *
   * @throws Error the last look failed
   */
  async end(): Promise<void> {
    await sleep(EVERY_MS);
    this.#ended.abort();
    await this.#looking;
    await this.#look();
  }

  async #look(): Promise<void> {
    const sample = await takeSample(this.#adminUrl);
    this.samples.push(sample);
    this.#onSample(sample);
  }

  /** At whole seconds since the first look, so that a slow answer does not shift those after it. */
  async #lookOn(): Promise<void> {
    const { signal } = this.#ended;
    const firstMs = performance.now();
    for (let n = 1; !signal.aborted; n++) {
      const aheadMs = firstMs + n * EVERY_MS - performance.now();
      if (aheadMs < -EVERY_MS) continue;
      await sleep(Math.max(0, aheadMs), undefined, { signal }).catch(() => {});
      // A look that fails leaves a longer step in the picture.
      if (!signal.aborted) await this.#look().catch(() => {});
    }
  }
}
