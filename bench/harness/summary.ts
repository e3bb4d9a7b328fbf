import type { Report } from './report.js';
import { caseTable, caseTitle, verdictTable } from './tables.js';
import { fixed } from './text.js';
import { warningsOf } from './warnings.js';

/** What is printed at the end of a run. */
export function summary(report: Report): string {
  const parts = [howMeasured(report)];
  for (const where of report.cases)
    parts.push(`${caseTitle(where)}\n\n${caseTable(report, where)}`);
  parts.push(`meant to hold\n\n${verdictTable(report)}`);
  const { leftOut } = report;
  if (leftOut.length > 0) {
    parts.push(leftOut.map(({ name, reason }) => `left out: ${name}: ${reason}`).join('\n'));
  }
  const warnings = warningsOf(report);
  if (warnings.length > 0) parts.push(warnings.map((text) => `warning: ${text}`).join('\n'));
  return parts.join('\n\n');
}

/** One line on the run, one on the machine, one on versions. */
export function howMeasured({ takenAt, machine, versions, options }: Report): string {
  const { rounds, seconds, warmUpS, pinning } = options;
  const { cpu, cores, memoryGb, kernel, fileSystem, flushMs } = machine;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${takenAt.slice(0, 10)}: ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`} of ${seconds} s after ${warmUpS} s of warm-up; ${pinning}`,
    `${cpu}, ${cores} cores, ${memoryGb} GB, ${kernel}, ${fileSystem}, ${fixed(flushMs, 2)} ms a flush`,
    named.join(', '),
  ].join('\n');
}
