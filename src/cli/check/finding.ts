import { EXIT } from '../../model/fault.js';

/** `fail`: serve would not start, or not do what it is for. `warn`: it would, but somebody should know. */
export type Verdict = 'ok' | 'warn' | 'fail';

/** One thing that was looked at. */
export interface Finding {
  readonly verdict: Verdict;
  /** One or two words: what was looked at. */
  readonly about: string;
  /** What was found, in one line. */
  readonly text: string;
  /** How to mend it, in one line; empty when there is nothing to mend. */
  readonly mend: string;
  /** What the command ends with because of it: 0 unless it is a failure. */
  readonly exitCode: number;
  /** The same for programs. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export function ok(about: string, text: string, facts: Finding['facts'] = {}): Finding {
  return { verdict: 'ok', about, text, mend: '', exitCode: EXIT.ok, facts };
}

export function warn(about: string, text: string, mend: string, facts = {}): Finding {
  return { verdict: 'warn', about, text, mend, exitCode: EXIT.ok, facts };
}

/** Something around it fails: starting again may help. */
export function fail(about: string, text: string, mend: string, facts = {}): Finding {
  return { verdict: 'fail', about, text, mend, exitCode: EXIT.failed, facts };
}

/** What was asked for is wrong: starting again will not help. */
export function failAsGiven(about: string, text: string, mend: string, facts = {}): Finding {
  return { ...fail(about, text, mend, facts), exitCode: EXIT.usage };
}

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

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1536` is `1.5 KiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A time since, in the largest unit that has at least two of it. */
export function ageText(ms: number): string {
  const units = [
    [86_400_000, 'days'],
    [3_600_000, 'hours'],
    [60_000, 'minutes'],
  ] as const;
  const [unitMs, name] = units.find(([least]) => ms >= 2 * least) ?? [1000, 'seconds'];
  return `${Math.max(0, Math.round(ms / unitMs))} ${name}`;
}
