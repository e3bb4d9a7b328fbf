import { durationS, expectedArrivals, rate } from '../../k6/lib/sine.js';
import { generate } from './generator.js';
import { type OrderAnswer, OrderClient } from './order-client.js';
import { ServerWatch } from './server-watch.js';
import { Tally } from './tally.js';
import { judge, type Verdict } from './verdicts.js';
import type { WaveOptions } from './wave-options.js';

export interface WaveSummary {
  readonly offered: number;
  readonly dropped: number;
  readonly created: number;
  readonly refused: number;
  readonly busy: number;
  readonly other: number;
  /** Milliseconds from the moment a request was due to its answer. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly verdicts: readonly Verdict[];
  /** Whether every verdict is good. */
  readonly ok: boolean;
}

export interface Output {
  write(text: string): unknown;
}

const LIVE_MS = 1000;

/**
 * Drives a server through the wave, with one line a second, and judges what it did.
 *
 * @throws OperatorFault the server's metrics can't be read
 */
export async function runWave(options: WaveOptions, out: Output): Promise<WaveSummary> {
  const { wave, adminUrl } = options;
  const watch = adminUrl === null ? null : await ServerWatch.begin(adminUrl);
  const client = new OrderClient(options.url);
  const total = new Tally();
  const live = new LiveLines(options, out);
  try {
    await generate(wave, () => client.post(), {
      offered: () => live.each((tally) => tally.offered++, total),
      dropped: () => live.each((tally) => tally.dropped++, total),
      answered: (answer: OrderAnswer, latencyMs: number) =>
        live.each((tally) => tally.record(answer, latencyMs), total),
    });
    live.end();
    const watched = (await watch?.end(settleMsMax(options))) ?? null;
    const summary = summarize(total, judge(options, total, watched));
    out.write(summaryText(summary, adminUrl === null));
    return summary;
  } finally {
    live.end();
    client.close();
    watch?.stop();
  }
}

function settleMsMax({ wave, drainRps, settleS }: WaveOptions): number {
  const drainS = drainRps > 0 ? expectedArrivals(wave) / drainRps : 0;
  return (drainS + settleS) * 1000;
}

function summarize(tally: Tally, verdicts: readonly Verdict[]): WaveSummary {
  const { offered, dropped, created, refused, busy, other } = tally;
  const [p50, p99, max] = tally.latenciesMs([0.5, 0.99, 1]) as [number, number, number];
  const ok = verdicts.every((verdict) => verdict.ok);
  return {
    offered,
    dropped,
    created,
    refused,
    busy,
    other,
    latencyMs: { p50, p99, max },
    verdicts,
    ok,
  };
}

function summaryText(summary: WaveSummary, unwatched: boolean): string {
  const { p50, p99, max } = summary.latencyMs;
  const lines = [
    `offered ${summary.offered}, 200 ${summary.created}, 500 ${summary.refused}, 503 ${summary.busy}, other ${summary.other}`,
    `latency in ms: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)}`,
    ...summary.verdicts.map(({ ok, text }) => `${ok ? 'ok  ' : 'FAIL'} ${text}`),
  ];
  if (unwatched) lines.push('not checked: what the server processed (--admin-url none)');
  return `${lines.join('\n')}\n`;
}

/** Prints what happened in each second as it ends. */
class LiveLines {
  readonly #options: WaveOptions;
  readonly #out: Output;
  readonly #timer: NodeJS.Timeout;
  #second = new Tally();
  #seconds = 0;

  constructor(options: WaveOptions, out: Output) {
    this.#options = options;
    this.#out = out;
    this.#timer = setInterval(() => this.#print(), LIVE_MS);
  }

  each(count: (tally: Tally) => void, total: Tally): void {
    count(this.#second);
    count(total);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #print(): void {
    const { wave } = this.#options;
    const { offered, created, refused, busy, other } = this.#second;
    const [p50, p99] = this.#second.latenciesMs([0.5, 0.99]) as [number, number];
    this.#seconds++;
    const due = rate(Math.min(this.#seconds - 0.5, durationS(wave)), wave);
    this.#out.write(
      `${String(this.#seconds).padStart(4)} s  sine ${cell(due)}  offered ${cell(offered)}  200 ${cell(created)}` +
        `  500 ${cell(refused)}  503 ${cell(busy)}  other ${cell(other)}` +
        `  p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms\n`,
    );
    this.#second = new Tally();
  }
}

function cell(value: number): string {
  return String(Math.round(value)).padStart(5);
}
