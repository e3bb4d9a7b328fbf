import { YARDSTICK } from '../contestants/bare.js';
import { type Spread, spread } from '../spread.js';
import type { Case, Entrant, Figures, Report } from './report.js';

/** What one contestant did in one case: medians of its rounds; errors are added up, memory is the most. */
export interface Row extends Case {
  readonly entrant: Entrant;
  readonly requestsPerSecond: Spread;
  /** Of the yardstick's orders a second, each round's own. */
  readonly ratio: Spread | null;
  readonly httpCpuUs: number;
  readonly behindCpuUs: number;
  readonly cpuUs: number;
  /** Processor time an order of all its processes, as a multiple of the yardstick's in the same round. */
  readonly cpuRatio: Spread | null;
  readonly donePerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly httpMb: number;
  readonly behindMb: number;
  readonly readyMs: number;
  readonly httpCores: number;
  readonly generatorRatio: number;
  readonly errors: number;
}

type Pick = (figures: Figures) => number;

export const rateOf: Pick = ({ requestsPerSecond }) => requestsPerSecond;
export const cpuOf: Pick = ({ httpCpuUs, behindCpuUs }) => httpCpuUs + sum(behindCpuUs);

/** In the order of the entrants, case by case. */
export function toRows(report: Report): Row[] {
  return report.cases.flatMap((where) =>
    report.entrants.flatMap((entrant) => toRow(report, where, entrant) ?? []),
  );
}

function toRow(report: Report, where: Case, entrant: Entrant): Row | null {
  const rounds = [...roundsOf(report, where, entrant.name).values()];
  if (rounds.length === 0) return null;
  const medianOf = (pick: Pick) => spread(rounds.map(pick)).median;
  const mostOf = (pick: Pick) => Math.max(...rounds.map(pick));
  return {
    ...where,
    entrant,
    requestsPerSecond: spread(rounds.map(rateOf)),
    ratio: ratio(report, where, entrant.name, YARDSTICK, rateOf),
    httpCpuUs: medianOf(({ httpCpuUs }) => httpCpuUs),
    behindCpuUs: medianOf(({ behindCpuUs }) => sum(behindCpuUs)),
    cpuUs: medianOf(cpuOf),
    cpuRatio: ratio(report, where, entrant.name, YARDSTICK, cpuOf),
    donePerSecond: medianOf(({ donePerSecond }) => donePerSecond),
    p50Ms: medianOf(({ p50Ms }) => p50Ms),
    p99Ms: medianOf(({ p99Ms }) => p99Ms),
    httpMb: mostOf(({ httpMb }) => httpMb),
    behindMb: mostOf(({ behindMb }) => sum(behindMb)),
    readyMs: medianOf(({ readyMs }) => readyMs),
    httpCores: medianOf(({ httpCores }) => httpCores),
    generatorRatio: medianOf(({ generatorRatio }) => generatorRatio),
    errors: rounds.reduce((total, { errors }) => total + errors, 0),
  };
}

/**
 * A figure of one contestant as a multiple of another's, each round's own: a machine's speed drifts from minute to minute,
 * so only what ran side by side compares.
 *
 * @returns null where no round has both
 */
export function ratio(
  report: Report,
  where: Case,
  name: string,
  of: string,
  pick: Pick,
): Spread | null {
  const base = roundsOf(report, where, of);
  const ratios: number[] = [];
  for (const [round, figures] of roundsOf(report, where, name)) {
    const beside = base.get(round);
    if (beside !== undefined) ratios.push(pick(figures) / pick(beside));
  }
  return ratios.length === 0 ? null : spread(ratios);
}

function roundsOf(report: Report, where: Case, name: string): ReadonlyMap<number, Figures> {
  const own = report.measured.filter(
    ({ contestant, connections, body }) =>
      contestant === name && connections === where.connections && body === where.body,
  );
  return new Map(own.map(({ round, figures }) => [round, figures]));
}

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}
