import { durationS, rate } from '../../k6/lib/sine.js';
import type { WaveListener } from './drive-wave.js';
import type { OrderAnswer } from './order-client.js';
import { Tally } from './tally.js';
import type { WaveOptions } from './wave-options.js';

export interface Output {
  write(text: string): unknown;
}

const LIVE_MS = 1000;

/** Prints what happened in each second as it ends. */
export class LiveLines implements WaveListener {
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
