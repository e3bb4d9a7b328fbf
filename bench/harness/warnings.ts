import { isInMemory } from './machine.js';
import type { Report } from './report.js';
import { type Row, toRows } from './rows.js';
import { percent } from './text.js';

/** From here on, more could not have come from the generator. */
const GENERATOR_RATIO_MAX = 0.95;
/** Of a virtual machine's cores, given to others by its host. */
const STEAL_RATIO_MAX = 0.02;
const ROUNDS_MIN = 5;

/** What a reader must know before believing a figure; one line each. */
export function warningsOf(report: Report): string[] {
  const warnings: string[] = [];
  const { rounds, pinningFault, only } = report.options;
  if (rounds < ROUNDS_MIN) warnings.push(`${rounds} of ${ROUNDS_MIN} rounds: too few to say much`);
  if (only.length > 0) warnings.push(`nobody took part but the yardstick and ${only.join('; ')}`);
  if (isInMemory(report.machine)) {
    const { fileSystem } = report.machine;
    warnings.push(`data lay on ${fileSystem}, in memory: no flush reached a disk (see --data)`);
  }
  if (pinningFault !== '') warnings.push(pinningFault);
  warnings.push(...toRows(report).filter(isGeneratorBound).map(boundText), ...stolen(report));
  return warnings;
}

/** Whether the generator was the bottleneck, or one of two. */
export function isGeneratorBound({ generatorRatio }: Row): boolean {
  return generatorRatio >= GENERATOR_RATIO_MAX;
}

function boundText(row: Row): string {
  const { entrant, connections, body, generatorRatio, httpCores } = row;
  return `${entrant.name}, ${connections} connections, ${body}: the generator was at its limit, ${percent(generatorRatio)} of a core, beside ${httpCores.toFixed(2)} cores of the server: it may be able to do more than is shown`;
}

function stolen({ measured }: Report): string[] {
  const worst = measured.filter(({ figures }) => figures.stealRatio > STEAL_RATIO_MAX);
  if (worst.length === 0) return [];
  const most = Math.max(...worst.map(({ figures }) => figures.stealRatio));
  return [
    `in ${worst.length} of ${measured.length} measurements the host gave more than ${percent(STEAL_RATIO_MAX)} of the processor time to others, ${percent(most)} at most`,
  ];
}
