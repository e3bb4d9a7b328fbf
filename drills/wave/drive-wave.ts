import { expectedArrivals } from '../../k6/lib/sine.js';
import { generate, type Listener } from './generator.js';
import { OrderClient } from './order-client.js';
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
  readonly latencyMs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  readonly verdicts: readonly Verdict[];
  /** Whether every verdict is good. */
  readonly ok: boolean;
}

export interface WaveListener extends Listener {
  /** Time 0 of the wave. */
  started(): void;
  /** The last answer has arrived; what was accepted may still wait. */
  answeredAll(): void;
}

/**
 * Drives a server through the wave, waits until it has processed what it accepted, and judges.
 *
 * @throws OperatorFault the server's metrics can't be read
 */
export async function driveWave(
  options: WaveOptions,
  listener: WaveListener,
): Promise<WaveSummary> {
  const { wave, adminUrl } = options;
  const watch = adminUrl === null ? null : await ServerWatch.begin(adminUrl);
  const client = new OrderClient(options.url);
  const tally = new Tally();
  try {
    listener.started();
    await generate(wave, () => client.post(), {
      offered: () => {
        tally.offered++;
        listener.offered();
      },
      dropped: () => {
        tally.dropped++;
        listener.dropped();
      },
      answered: (answer, latencyMs) => {
        tally.record(answer, latencyMs);
        listener.answered(answer, latencyMs);
      },
    });
    listener.answeredAll();
    const watched = (await watch?.end(settleMsMax(options))) ?? null;
    return summarize(tally, judge(options, tally, watched));
  } finally {
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
  const shares = [0.5, 0.99, 0.999, 1];
  const [p50, p99, p999, max] = tally.latenciesMs(shares) as [number, number, number, number];
  return {
    offered,
    dropped,
    created,
    refused,
    busy,
    other,
    latencyMs: { p50, p99, p999, max },
    verdicts,
    ok: verdicts.every((verdict) => verdict.ok),
  };
}
