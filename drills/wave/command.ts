import { durationS, rate } from '../../k6/lib/sine.js';
import { EXIT } from '../../src/model/fault.js';
import {
  type DriveListener,
  type Driven,
  driveWave,
  type Exchange,
  type Outcome,
} from './drive.js';
import { judge, type Verdict, verdictLine } from './judge.js';
import { parseWaveOptions, settleMsMax, type WaveOptions, waveHelp } from './options.js';
import { ServerWatch } from './server-watch.js';

export const help = waveHelp;

export interface Output {
  write(text: string): unknown;
}

export interface WaveSummary extends Readonly<Record<Outcome, number>> {
  readonly offered: number;
  readonly dropped: number;
  /** From the moment a request was due to its answer. */
  readonly latencyMs: Readonly<Record<'p50' | 'p99' | 'p999' | 'max', number>>;
  readonly verdicts: readonly Verdict[];
  /** The first answer that is `other`; empty if there is none. */
  readonly firstOther: string;
  /** Whether every verdict is good. */
  readonly ok: boolean;
}

const LIVE_MS = 1000;

/**
 * `forebay wave`.
 *
 * @returns the exit code: whether every check passed
 * @throws OperatorFault an option is wrong, or the server's metrics cannot be read
 */
export async function run(args: readonly string[]): Promise<number> {
  const options = parseWaveOptions(args, (line) => process.stderr.write(`${line}\n`));
  const summary = await runWave(options, process.stdout);
  return summary.ok ? EXIT.ok : EXIT.failed;
}

/**
 * Drives a wave at a server, waits until the server has processed what it accepted, and judges it. Prints a line a second.
 *
 * @throws OperatorFault the server's metrics cannot be read
 */
export async function runWave(options: WaveOptions, out: Output): Promise<WaveSummary> {
  const { adminUrl, adminToken, wave } = options;
  const watch = adminUrl === null ? null : await ServerWatch.begin(adminUrl, adminToken);
  try {
    const driven = await withLiveLines(wave, out, (listener) => driveWave(options, listener));
    const watched = (await watch?.end(settleMsMax(options))) ?? null;
    const summary = summarize(driven, judge(options, driven, watched).verdicts);
    out.write(summaryText(summary, watched === null));
    return summary;
  } finally {
    watch?.stop();
  }
}

function summarize(
  { offered, dropped, exchanges }: Driven,
  verdicts: readonly Verdict[],
): WaveSummary {
  const ok = verdicts.every((verdict) => verdict.ok);
  const firstOther = exchanges.find(({ why }) => why !== undefined)?.why ?? '';
  return { offered, dropped, ...figuresOf(exchanges), firstOther, verdicts, ok };
}

function figuresOf(exchanges: readonly Exchange[]) {
  const counts = { created: 0, refused: 0, busy: 0, other: 0 };
  for (const { outcome } of exchanges) counts[outcome]++;
  const sorted = exchanges.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const latencyMs = { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
  return { ...counts, latencyMs };
}

/** Prints what happened in each second as it ends. */
async function withLiveLines(
  wave: WaveOptions['wave'],
  out: Output,
  drive: (listener: DriveListener) => Promise<Driven>,
): Promise<Driven> {
  let seconds = 0;
  let offered = 0;
  let answered: Exchange[] = [];
  const timer = setInterval(() => {
    const due = rate(Math.min(++seconds - 0.5, durationS(wave)), wave);
    const { created, refused, busy, other, latencyMs } = figuresOf(answered);
    out.write(
      `${String(seconds).padStart(4)} s  sine ${cell(due)}  offered ${cell(offered)}  200 ${cell(created)}` +
        `  500 ${cell(refused)}  503 ${cell(busy)}  other ${cell(other)}` +
        `  p50 ${latencyMs.p50.toFixed(1)} ms  p99 ${latencyMs.p99.toFixed(1)} ms\n`,
    );
    offered = 0;
    answered = [];
  }, LIVE_MS);
  try {
    return await drive({
      offered: () => offered++,
      answered: (exchange) => answered.push(exchange),
    });
  } finally {
    clearInterval(timer);
  }
}

function cell(value: number): string {
  return String(Math.round(value)).padStart(5);
}

function summaryText(summary: WaveSummary, isUnwatched: boolean): string {
  const { p50, p99, p999, max } = summary.latencyMs;
  const lines = [
    `offered ${summary.offered}, 200 ${summary.created}, 500 ${summary.refused}, 503 ${summary.busy}, other ${summary.other}`,
    `latency in ms: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, p99.9 ${p999.toFixed(1)}, max ${max.toFixed(1)}`,
    ...summary.verdicts.map(verdictLine),
  ];
  if (summary.firstOther !== '') lines.push(`first other answer: ${summary.firstOther}`);
  if (isUnwatched) lines.push('not checked: what the server processed (--admin-url none)');
  return `${lines.join('\n')}\n`;
}
