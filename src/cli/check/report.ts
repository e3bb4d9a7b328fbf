import type { Finding } from './finding.js';

const VERDICT_COLUMNS = 4;
const ABOUT_COLUMNS = 15;

/** What the command ends with: the worst of what was found. */
export function exitCodeOf(findings: readonly Finding[]): number {
  return Math.max(0, ...findings.map(({ exitCode }) => exitCode));
}

/** For people: a line for each thing that was looked at, and below it how to mend it. */
export function reportText(findings: readonly Finding[]): string {
  const indent = ' '.repeat(VERDICT_COLUMNS + ABOUT_COLUMNS + 2);
  const lines = findings.flatMap(({ verdict, about, text, mend }) => [
    `${verdict.padEnd(VERDICT_COLUMNS)}  ${about.padEnd(ABOUT_COLUMNS)}${text}`,
    ...(mend === '' ? [] : [`${indent}to mend it: ${mend}`]),
  ]);
  return `${[...lines, '', lastLine(findings)].join('\n')}\n`;
}

/** For programs: one JSON object. */
export function reportJson(findings: readonly Finding[]): string {
  const exitCode = exitCodeOf(findings);
  const verdict = ['fail', 'warn'].find((worst) => has(findings, worst) > 0) ?? 'ok';
  return `${JSON.stringify({ verdict, exitCode, findings })}\n`;
}

function lastLine(findings: readonly Finding[]): string {
  const [fails, warns] = [has(findings, 'fail'), has(findings, 'warn')];
  if (fails > 0) return `${counted(fails, 'failure')}, ${counted(warns, 'warning')}: see above`;
  if (warns > 0) return `nothing fails, ${counted(warns, 'warning')}`;
  return 'all is well';
}

function has(findings: readonly Finding[], verdict: string): number {
  return findings.filter((finding) => finding.verdict === verdict).length;
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
