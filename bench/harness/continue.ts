import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { caseKey, type Entrant, type Report, readReport } from './report.js';

/** @returns null if the file does not exist yet */
export async function savedReport(file: string): Promise<Report | null> {
  return existsSync(file) ? readReport(await readFile(file, 'utf8')) : null;
}

/**
 * A saved report to which a run adds rounds, for a machine that is free only for a while. Each run has its own round, so a
 * ratio is always one of the same minutes.
 *
 * @param begun the run, before its first measurement
 * @param order all contestants, in the order of tables
 * @throws OperatorFault if the report was measured with other settings or on another machine
 */
export function continued(
  saved: Report,
  begun: Report,
  order: readonly Pick<Entrant, 'name'>[],
): Report {
  if (settingsOf(saved) !== settingsOf(begun)) {
    throw new OperatorFault('--continue: that report has other settings or machine', EXIT.usage);
  }
  const place = new Map(order.map(({ name }, i) => [name, i]));
  const entrants = unique([...begun.entrants, ...saved.entrants], ({ name }) => name);
  return {
    ...begun,
    options: { ...begun.options, only: [] },
    cases: unique([...saved.cases, ...begun.cases], caseKey).sort(
      (a, b) => a.batch - b.batch || a.connections - b.connections,
    ),
    entrants: entrants.sort((a, b) => (place.get(a.name) ?? 0) - (place.get(b.name) ?? 0)),
    leftOut: unique([...begun.leftOut, ...saved.leftOut], ({ name, reason }) => name + reason),
    measured: saved.measured,
  };
}

function settingsOf({ options, machine, versions }: Report): string {
  const { seconds, warmUpS, pinning } = options;
  const { cpu, cores, fileSystem } = machine;
  return JSON.stringify([seconds, warmUpS, pinning, cpu, cores, fileSystem, versions.node]);
}

function unique<T>(all: readonly T[], keyOf: (one: T) => string): T[] {
  return [...new Map(all.toReversed().map((one) => [keyOf(one), one])).values()].toReversed();
}
