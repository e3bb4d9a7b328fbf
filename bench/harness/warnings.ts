import { isInMemory } from './machine.js';
import { caseTitle, type Report } from './report.js';
import { fewestRounds, type Row, toRows } from './rows.js';
import { percent } from './text.js';

/** From this share of a core on, wrk may be the bottleneck. */
const GENERATOR_RATIO_MAX = 0.95;
/** Share of the CPU time that the host of a virtual machine gave to others. */
const STEAL_RATIO_MAX = 0.02;
/** Share of the CPU time that processes other than the servers and wrk used. */
export const OTHERS_RATIO_MAX = 0.1;
const ROUNDS_MIN = 5;

/** Reasons to doubt the figures of a report, one line each. */
export function warningsOf(report: Report): string[] {
  const warnings: string[] = [];
  const { pinningFault, only } = report.options;
  const rounds = fewestRounds(report);
  if (rounds < ROUNDS_MIN) warnings.push(`${rounds} rounds, fewer than ${ROUNDS_MIN}`);
  if (only.length > 0) warnings.push(`only the bare server and ${only.join('; ')} were measured`);
  if (isInMemory(report.machine)) {
    const { fileSystem } = report.machine;
    warnings.push(`the data was on ${fileSystem}, in memory: no flush reached a disk (see --data)`);
  }
  if (pinningFault !== '') warnings.push(pinningFault);
  warnings.push(...toRows(report).filter(isGeneratorBound).map(boundText));
  warnings.push(...exceeded(report, 'the host took more than', STEAL_RATIO_MAX, 'stealRatio'));
  warnings.push(
    ...exceeded(report, 'other processes used more than', OTHERS_RATIO_MAX, 'othersRatio'),
  );
  return warnings;
}

/** Whether wrk was the bottleneck, or may have been. */
export function isGeneratorBound({ generatorRatio }: Row): boolean {
  return generatorRatio >= GENERATOR_RATIO_MAX;
}

function boundText(row: Row): string {
  const { entrant, generatorRatio, httpCores } = row;
  return `${entrant.name}, ${caseTitle(row)}: wrk used ${percent(generatorRatio)} of its core, the server ${httpCores.toFixed(2)} cores; the server may be able to do more`;
}

function exceeded(
  { measured }: Report,
  what: string,
  max: number,
  figure: 'stealRatio' | 'othersRatio',
): string[] {
  const worst = measured.filter(({ figures }) => figures[figure] > max);
  if (worst.length === 0) return [];
  const most = Math.max(...worst.map(({ figures }) => figures[figure]));
  return [
    `in ${worst.length} of ${measured.length} measurements ${what} ${percent(max)} of the CPU time, up to ${percent(most)}`,
  ];
}
