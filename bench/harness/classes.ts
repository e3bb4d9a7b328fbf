import { type Durability, durabilities } from '../contestants/contestant.js';
import type { Entrant, Report } from './report.js';
import { type Row, toRows } from './rows.js';
import { fixed, table, whole } from './text.js';

/** A server in all cases of a report: one by one, and in batches. */
export interface ClassRow {
  readonly entrant: Entrant;
  /** By orders in a request, in the order of the report; absent: not measured. */
  readonly rows: readonly (Row | undefined)[];
}

export interface DurabilityClass {
  readonly durability: Durability;
  readonly servers: readonly ClassRow[];
}

/** Orders in a request, ascending. */
export function batchesOf({ cases }: Report): number[] {
  return [...new Set(cases.map(({ batch }) => batch))].sort((a, b) => a - b);
}

export function classesOf(report: Report): DurabilityClass[] {
  const rows = toRows(report);
  const batches = batchesOf(report);
  const names = Object.keys(durabilities) as Durability[];
  return names.map((durability) => ({
    durability,
    servers: report.entrants
      .filter((entrant) => entrant.durability === durability)
      .map((entrant) => ({
        entrant,
        rows: batches.map((batch) =>
          rows.find((row) => row.entrant === entrant && row.batch === batch),
        ),
      })),
  }));
}

/** Orders per second for each core that the servers had. */
export function perCore({ options }: Report, { ordersPerSecond }: Row): number {
  return ordersPerSecond.median / options.serverCores;
}

/** For each class a table: orders per second and core, p99 and CPU time, one by one and in batches. */
export function classTables(report: Report): string {
  const batches = batchesOf(report);
  const named = batches.map((batch) => (batch === 1 ? 'one by one' : `of ${batch}`));
  const columns = [
    ['orders/s per core', (row: Row) => whole(perCore(report, row))],
    ['p99 ms', (row: Row) => fixed(row.p99Ms, 1)],
    ['CPU µs per order', (row: Row) => fixed(row.cpuUs, row.cpuUs < 10 ? 2 : 1)],
  ] as const;
  const head = columns.flatMap(([title]) =>
    named.map((name, i) => (i === 0 ? `${title}: ${name}` : name)),
  );
  const parts = classesOf(report)
    .filter(({ servers }) => servers.length > 0)
    .flatMap(({ durability, servers }) => [
      `### ${title(durability)}`,
      table(
        ['server', ...head],
        servers.map(({ entrant, rows }) => [
          entrant.name,
          ...columns.flatMap(([, cell]) => rows.map((row) => (row ? cell(row) : ''))),
        ]),
      ),
    ]);
  return parts.join('\n\n');
}

export function title(durability: Durability): string {
  return `200 means: ${durabilities[durability]}`;
}
