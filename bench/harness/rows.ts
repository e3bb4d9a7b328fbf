import { REFERENCE } from '../contestants/bare.js';
import { type Spread, spread } from '../spread.js';
import { type Case, caseKey, type Entrant, type Figures, type Report } from './report.js';

/** One contestant in one case: medians over its rounds; errors are the sum, memory is the maximum. */
export interface Row extends Case {
  readonly entrant: Entrant;
  /** How many. */
  readonly rounds: number;
  readonly ordersPerSecond: Spread;
  /** Orders per second divided by the reference's in the same round. */
  readonly ratio: Spread | null;
  readonly httpCpuUs: number;
  readonly behindCpuUs: number;
  readonly cpuUs: number;
  /** CPU time per order of all its processes, divided by the reference's in the same round. */
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

export const rateOf: Pick = ({ ordersPerSecond }) => ordersPerSecond;
export const cpuOf: Pick = ({ httpCpuUs, behindCpuUs }) => httpCpuUs + sum(behindCpuUs);

/** Case by case, in the order of the entrants. */
export function toRows(report: Report): Row[] {
  return report.cases.flatMap((where) =>
    report.entrants.flatMap((entrant) => toRow(report, where, entrant) ?? []),
  );
}

function toRow(report: Report, where: Case, entrant: Entrant): Row | null {
  const rounds = [...roundsOf(report, where, entrant.name).values()];
  if (rounds.length === 0) return null;
  const medianOf = (pick: Pick) => spread(rounds.map(pick)).median;
  const maxOf = (pick: Pick) => Math.max(...rounds.map(pick));
  return {
    ...where,
    entrant,
    rounds: rounds.length,
    ordersPerSecond: spread(rounds.map(rateOf)),
    ratio: ratio(report, where, entrant.name, REFERENCE, rateOf),
    httpCpuUs: medianOf(({ httpCpuUs }) => httpCpuUs),
    behindCpuUs: medianOf(({ behindCpuUs }) => sum(behindCpuUs)),
    cpuUs: medianOf(cpuOf),
    cpuRatio: ratio(report, where, entrant.name, REFERENCE, cpuOf),
    donePerSecond: medianOf(({ donePerSecond }) => donePerSecond),
    p50Ms: medianOf(({ p50Ms }) => p50Ms),
    p99Ms: medianOf(({ p99Ms }) => p99Ms),
    httpMb: maxOf(({ httpMb }) => httpMb),
    behindMb: maxOf(({ behindMb }) => sum(behindMb)),
    readyMs: medianOf(({ readyMs }) => readyMs),
    httpCores: medianOf(({ httpCores }) => httpCores),
    generatorRatio: medianOf(({ generatorRatio }) => generatorRatio),
    errors: rounds.reduce((total, { errors }) => total + errors, 0),
  };
}

/**
 * A figure of one contestant divided by another's in the same round. Only measurements of the same minutes compare, because
 * the speed of a machine drifts.
 *
 * @returns null if no round has both
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
    (one) => one.contestant === name && caseKey(one) === caseKey(where),
  );
  return new Map(own.map(({ round, figures }) => [round, figures]));
}

/** Rounds in which the contestant with the fewest was measured. */
export function fewestRounds(report: Report): number {
  return Math.min(...toRows(report).map(({ rounds }) => rounds));
}

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}
