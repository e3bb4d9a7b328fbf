import { durationS, rate } from '../../k6/lib/sine.js';
import { EXIT } from '../../src/model/fault.js';
import { driveWave, type WaveListener, type WaveSummary } from './drive.js';
import { parseWaveOptions, type WaveOptions, waveHelp } from './options.js';
import type { OrderAnswer } from './order-client.js';
import { Tally } from './verdicts.js';

export const help = waveHelp;

/**
 * `forebay wave`.
 *
 * @returns the exit code: whether the run showed what it must
 * @throws OperatorFault an option is wrong, or the server's metrics can't be read
 */
export async function run(args: readonly string[]): Promise<number> {
  const summary = await runWave(parseWaveOptions(args), process.stdout);
  return summary.ok ? EXIT.ok : EXIT.failed;
}

/**
 * Drives a server through the wave, with one line a second, and judges what it did.
 *
 * @throws OperatorFault the server's metrics can't be read
 */
export async function runWave(options: WaveOptions, out: Output): Promise<WaveSummary> {
  const live = new LiveLines(options, out);
  try {
    const summary = await driveWave(options, live);
    out.write(summaryText(summary, options.adminUrl === null));
    return summary;
  } finally {
    live.answeredAll();
  }
}

function summaryText(summary: WaveSummary, unwatched: boolean): string {
  const { p50, p99, p999, max } = summary.latencyMs;
  const lines = [
    `offered ${summary.offered}, 200 ${summary.created}, 500 ${summary.refused}, 503 ${summary.busy}, other ${summary.other}`,
    `latency in ms: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, p99.9 ${p999.toFixed(1)}, max ${max.toFixed(1)}`,
    ...summary.verdicts.map(({ ok, text }) => `${ok ? 'ok  ' : 'FAIL'} ${text}`),
  ];
  if (unwatched) lines.push('not checked: what the server processed (--admin-url none)');
  return `${lines.join('\n')}\n`;
}

export interface Output {
  write(text: string): unknown;
}

const LIVE_MS = 1000;

/** Prints what happened in each second as it ends. */
class LiveLines implements WaveListener {
  readonly #options: WaveOptions;
  readonly #out: Output;
  #timer: NodeJS.Timeout | undefined;
  #second = new Tally();
  #seconds = 0;

  constructor(options: WaveOptions, out: Output) {
    this.#options = options;
    this.#out = out;
  }

  started(): void {
    this.#timer = setInterval(() => this.#print(), LIVE_MS);
  }

  offered(): void {
    this.#second.offered++;
  }

  dropped(): void {
    this.#second.dropped++;
  }

  answered(answer: OrderAnswer, latencyMs: number): void {
    this.#second.record(answer, latencyMs);
  }

  answeredAll(): void {
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
