import { durabilities } from '../contestants/contestant.js';
import type { Spread } from '../spread.js';
import type { Case, Report } from './report.js';
import { type Row, toRows } from './rows.js';
import { judge, type Verdict } from './targets.js';
import { fixed, percent, table, whole } from './text.js';
import { isGeneratorBound } from './warnings.js';

const HEAD = [
  'server',
  'a 200 means',
  'orders/s',
  'of bare',
  'least to most',
  'CPU µs an order, HTTP',
  'behind',
  'both ÷ bare',
  'processed/s',
  'p50 ms',
  'p99 ms',
  'most MB, HTTP',
  'behind',
  'ready ms',
  'generator',
  'errors',
];

export function caseTitle({ connections, body }: Case): string {
  return `${connections.toLocaleString('en')} connections, body ${body}`;
}

/** The one of the picture: 256 connections where that was run. */
export function mainCase({ cases }: Report): Case {
  return cases.find(({ connections }) => connections === 256) ?? cases[0]!;
}

export function caseTable(report: Report, where: Case): string {
  return table(HEAD, rowsOf(report, where).map(cellsOf));
}

export function rowsOf(report: Report, { connections, body }: Case): Row[] {
  return toRows(report).filter((row) => row.connections === connections && row.body === body);
}

function cellsOf(row: Row): string[] {
  const { ratio, cpuRatio } = row;
  return [
    row.entrant.name,
    durabilities[row.entrant.durability],
    whole(row.requestsPerSecond.median),
    ratio === null ? '' : fixed(ratio.median, 2),
    ratio === null ? '' : between(ratio, 2),
    fixed(row.httpCpuUs, 1),
    row.behindCpuUs === 0 ? '' : fixed(row.behindCpuUs, 1),
    cpuRatio === null ? '' : fixed(cpuRatio.median, 2),
    row.donePerSecond === 0 ? '' : whole(row.donePerSecond),
    fixed(row.p50Ms, 1),
    fixed(row.p99Ms, 1),
    whole(row.httpMb),
    row.behindMb === 0 ? '' : whole(row.behindMb),
    whole(row.readyMs),
    isGeneratorBound(row) ? `**${percent(row.generatorRatio)}**` : percent(row.generatorRatio),
    String(row.errors),
  ];
}

export function verdictTable(report: Report): string {
  const head = ['what', 'connections', 'body', 'meant', 'median', 'least to most', 'verdict'];
  return table(head, judge(report).map(verdictCells));
}

function verdictCells(verdict: Verdict): string[] {
  const { what, connections, body, figure, outcome } = verdict;
  return [
    what,
    connections.toLocaleString('en'),
    body,
    meant(verdict),
    figure === null ? '' : digits(figure.median),
    figure === null ? '' : `${digits(figure.least)} to ${digits(figure.most)}`,
    outcome === 'MISSED' ? '**MISSED**' : outcome,
  ];
}

function meant({ bound, stretch, isLeast }: Verdict): string {
  const first = `${isLeast ? 'at least' : 'at most'} ${bound}`;
  return stretch === null ? first : `${first}, stretch ${stretch}`;
}

function between({ least, most }: Spread, places: number): string {
  return `${fixed(least, places)} to ${fixed(most, places)}`;
}

/** With so many places that what just misses a bound does not look as if it met it; megabytes as they are. */
function digits(value: number): string {
  return value >= 100 ? whole(value) : fixed(value, 3);
}
