import { cpus } from 'node:os';
import type { Contender } from './contenders.js';
import type { Load, LoadOptions } from './load.js';

/** What one contender did in one round. */
export interface Round extends Load {
  readonly residentMb: number;
  readonly readyMs: number;
  /** Orders processed per second while the load ran; 0 where nothing is processed. */
  readonly donePerSecond: number;
}

/** What one contender did in the median; errors are added up, memory is the most. */
export interface Row extends Round {
  readonly name: string;
  readonly ratio: number;
  readonly ratioMin: number | null;
}

/** @param results the bare server's first */
export function toRows(results: ReadonlyMap<Contender, readonly Round[]>): Row[] {
  const bare = median([...results.values()][0]!.map((round) => round.requestsPerSecond));
  return [...results].map(([{ name, ratioMin }, rounds]) => {
    const of = (key: keyof Round) => median(rounds.map((round) => round[key]));
    const requestsPerSecond = of('requestsPerSecond');
    return {
      name,
      ratioMin,
      requestsPerSecond,
      ratio: requestsPerSecond / bare,
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
    '| server | orders/s | of bare | meant | processed/s | p50 ms | p99 ms | most memory MB | ready ms | errors |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const row of rows) {
    const cells = [
      row.name,
      Math.round(row.requestsPerSecond).toLocaleString('en'),
      row.ratio.toFixed(2),
      row.ratioMin === null
        ? ''
        : `${row.ratio >= row.ratioMin ? 'at least' : 'MISSED'} ${row.ratioMin}`,
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
