import { cpus } from 'node:os';
import type { Contender } from './contenders.js';
import type { Load, LoadOptions } from './load.js';

/** What one contender did in one round. */
export interface Round extends Load {
  readonly residentMb: number;
  readonly readyMs: number;
  /** User and system time of the server's process (not of NATS) for each order; microseconds. */
  readonly cpuUs: number;
  /** Orders processed per second while the load ran; 0 where nothing is processed. */
  readonly donePerSecond: number;
}

/** What one contender did in the median; errors are added up, memory is the most. */
export interface Row extends Round {
  readonly name: string;
  /** Median, least and most of the rounds' own ratios to the bare server in the same round. */
  readonly ratio: number;
  readonly ratioLeast: number;
  readonly ratioMost: number;
  readonly ratioMin: number | null;
}

/** @param results the bare server's first */
export function toRows(results: ReadonlyMap<Contender, readonly Round[]>): Row[] {
  const bare = [...results.values()][0]!;
  return [...results].map(([{ name, ratioMin }, rounds]) => {
    const of = (key: keyof Round) => median(rounds.map((round) => round[key]));
    // The machine's speed drifts from minute to minute: only what ran side by side compares.
    const ratios = rounds.map((round, i) => round.requestsPerSecond / bare[i]!.requestsPerSecond);
    return {
      name,
      ratioMin,
      requestsPerSecond: of('requestsPerSecond'),
      ratio: median(ratios),
      ratioLeast: Math.min(...ratios),
      ratioMost: Math.max(...ratios),
      cpuUs: of('cpuUs'),
      p50Ms: of('p50Ms'),
      p99Ms: of('p99Ms'),
      donePerSecond: of('donePerSecond'),
      readyMs: of('readyMs'),
      residentMb: Math.max(...rounds.map((round) => round.residentMb)),
      errors: rounds.reduce((sum, round) => sum + round.errors, 0),
    };
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The rows as Markdown, with how they were measured. */
export function table(
  rows: readonly Row[],
  { connections, seconds }: LoadOptions,
  rounds: number,
): string {
  const lines = [
    `medians of ${rounds} rounds of ${seconds} s, ${connections} connections, ${cpus().length} cores shared with wrk, Node ${process.version}`,
    '',
    '| server | orders/s | of bare | spread | meant | CPU µs an order | processed/s | p50 ms | p99 ms | most memory MB | ready ms | errors |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const row of rows) {
    const cells = [
      row.name,
      Math.round(row.requestsPerSecond).toLocaleString('en'),
      row.ratio.toFixed(2),
      `${row.ratioLeast.toFixed(2)} to ${row.ratioMost.toFixed(2)}`,
      row.ratioMin === null
        ? ''
        : `${row.ratio >= row.ratioMin ? 'at least' : 'MISSED'} ${row.ratioMin}`,
      row.cpuUs.toFixed(1),
      Math.round(row.donePerSecond).toLocaleString('en'),
      row.p50Ms.toFixed(1),
      row.p99Ms.toFixed(1),
      row.residentMb.toFixed(0),
      row.readyMs.toFixed(0),
      row.errors,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

export function toJson(rows: readonly Row[], options: LoadOptions, rounds: number): string {
  const { connections, seconds } = options;
  const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version };
  return `${JSON.stringify({ machine, connections, seconds, rounds, rows }, null, 2)}\n`;
}
