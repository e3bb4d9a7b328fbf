import { driveWave, type WaveSummary } from './drive-wave.js';
import { LiveLines, type Output } from './live-lines.js';
import type { WaveOptions } from './wave-options.js';

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
