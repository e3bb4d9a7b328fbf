import { durabilities } from '../contestants/contestant.js';
import { rangeText } from '../spread.js';
import { type Case, caseKey, caseTitle, type Report } from './report.js';
import { fewestRounds, type Row, toRows } from './rows.js';
import { fixed, percent, table, whole } from './text.js';
import { isGeneratorBound, warningsOf } from './warnings.js';

/** A column of a table: its head, and its cell for a row. */
type Column = readonly [head: string, cell: (row: Row) => string];

const SERVER: Column = ['server', ({ entrant }) => entrant.name];

const RATES: readonly Column[] = [
  SERVER,
  ['200 means', ({ entrant }) => durabilities[entrant.durability]],
  ['orders/s', ({ ordersPerSecond }) => whole(ordersPerSecond.median)],
  ['of bare', ({ ratio }) => (ratio === null ? '' : fixed(ratio.median, 2))],
  ['range', ({ ratio }) => (ratio === null ? '' : rangeText(ratio))],
  ['processed/s', ({ donePerSecond }) => (donePerSecond === 0 ? '' : whole(donePerSecond))],
  ['p50 ms', ({ p50Ms }) => fixed(p50Ms, 1)],
  ['p99 ms', ({ p99Ms }) => fixed(p99Ms, 1)],
  ['errors', ({ errors }) => `${errors}`],
];

const RESOURCES: readonly Column[] = [
  SERVER,
  ['CPU µs per order: HTTP', ({ httpCpuUs }) => fixed(httpCpuUs, 1)],
  ['broker', ({ behindCpuUs }) => (behindCpuUs === 0 ? '' : fixed(behindCpuUs, 1))],
  ['all ÷ bare', ({ cpuRatio }) => (cpuRatio === null ? '' : fixed(cpuRatio.median, 2))],
  ['peak MB: HTTP', ({ httpMb }) => whole(httpMb)],
  ['broker', ({ behindMb }) => (behindMb === 0 ? '' : whole(behindMb))],
  ['start ms', ({ readyMs }) => whole(readyMs)],
  [
    'wrk CPU',
    (row) => {
      const share = percent(row.generatorRatio);
      return isGeneratorBound(row) ? `**${share}**` : share;
    },
  ],
];

/** What is printed at the end of a run. */
export function summary(report: Report): string {
  const parts = [howMeasured(report)];
  for (const where of report.cases)
    parts.push(`${caseTitle(where)}\n\n${caseTables(report, where)}`);
  const { leftOut } = report;
  if (leftOut.length > 0) {
    parts.push(leftOut.map(({ name, reason }) => `left out: ${name}: ${reason}`).join('\n'));
  }
  const warnings = warningsOf(report);
  if (warnings.length > 0) parts.push(warnings.map((text) => `warning: ${text}`).join('\n'));
  return parts.join('\n\n');
}

/** Three lines: the run, the machine, the versions. */
export function howMeasured(report: Report): string {
  const { takenAt, machine, versions, options } = report;
  const { seconds, warmUpS, pinning } = options;
  const rounds = fewestRounds(report);
  const { cpu, cores, memoryGb, kernel, fileSystem, flushMs } = machine;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${takenAt.slice(0, 10)}: ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`} of ${seconds} s after ${warmUpS} s of warm-up; ${pinning}`,
    `${cpu}, ${cores} cores, ${memoryGb} GB, ${kernel}, ${fileSystem}, ${fixed(flushMs, 2)} ms per fdatasync`,
    named.join(', '),
  ].join('\n');
}

/** The case of the chart and of the README: 256 connections if that was measured. */
export function mainCase({ cases }: Report): Case {
  return cases.find(({ connections }) => connections === 256) ?? cases[0]!;
}

/** Two tables: rates and latencies, then CPU time and memory. */
export function caseTables(report: Report, where: Case): string {
  const rows = rowsOf(report, where);
  return [RATES, RESOURCES].map((columns) => tableOf(columns, rows)).join('\n\n');
}

function tableOf(columns: readonly Column[], rows: readonly Row[]): string {
  const head = columns.map(([name]) => name);
  return table(
    head,
    rows.map((row) => columns.map(([, cell]) => cell(row))),
  );
}

export function rowsOf(report: Report, where: Case): Row[] {
  return toRows(report).filter((row) => caseKey(row) === caseKey(where));
}
