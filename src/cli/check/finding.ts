import { EXIT, type OperatorFault } from '../../model/fault.js';
import type { Redact } from '../../model/redact.js';

/** `fail`: serve would not start, or not work. `warn`: it would, but the operator should know. */
export type Verdict = 'ok' | 'warn' | 'fail';

/** The result of one check. */
export interface Finding {
  readonly verdict: Verdict;
  /** One or two words: what was checked. */
  readonly about: string;
  /** What was found, in one line. */
  readonly text: string;
  /** How to fix it, in one line; empty when there is nothing to fix. */
  readonly fix: string;
  /** The exit code that this finding calls for: 0 unless it is a failure. */
  readonly exitCode: number;
  /** The same for programs. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export function ok(about: string, text: string, facts: Finding['facts'] = {}): Finding {
  return { verdict: 'ok', about, text, fix: '', exitCode: EXIT.ok, facts };
}

export function warn(about: string, text: string, fix: string, facts = {}): Finding {
  return { verdict: 'warn', about, text, fix, exitCode: EXIT.ok, facts };
}

/** A failure of the environment: a later start may succeed. */
export function fail(about: string, text: string, fix: string, facts = {}): Finding {
  return { verdict: 'fail', about, text, fix, exitCode: EXIT.failed, facts };
}

/** A failure of the configuration: every start fails until it is changed. */
export function failConfig(about: string, text: string, fix: string, facts = {}): Finding {
  return { ...fail(about, text, fix, facts), exitCode: EXIT.usage };
}

/** What serve would print, with its fix apart. */
export function faultFinding(about: string, { message, exitCode }: OperatorFault): Finding {
  const [problem, fix = ''] = message.split(/; fix: (.*)/s);
  return (exitCode === EXIT.usage ? failConfig : fail)(about, problem!, fix);
}

const VERDICT_COLUMNS = 4;
const ABOUT_COLUMNS = 15;

/** The exit code of the command: that of the worst finding. */
export function exitCodeOf(findings: readonly Finding[]): number {
  return Math.max(0, ...findings.map(({ exitCode }) => exitCode));
}

/** The report as text: one line per finding, and its fix on the line below. */
export function reportText(findings: readonly Finding[], redact: Redact): string {
  const indent = ' '.repeat(VERDICT_COLUMNS + ABOUT_COLUMNS + 2);
  const lines = findings.flatMap(({ verdict, about, text, fix }) => [
    `${verdict.padEnd(VERDICT_COLUMNS)}  ${about.padEnd(ABOUT_COLUMNS)}${text}`,
    ...(fix === '' ? [] : [`${indent}fix: ${fix}`]),
  ]);
  return `${[...lines.map(redact), '', summary(findings)].join('\n')}\n`;
}

/** The report as one JSON object. Its keys are stable. */
export function reportJson(findings: readonly Finding[], redact: Redact): string {
  const exitCode = exitCodeOf(findings);
  const verdict = ['fail', 'warn'].find((worst) => count(findings, worst) > 0) ?? 'ok';
  const redacted = (_key: string, value: unknown) =>
    typeof value === 'string' ? redact(value) : value;
  return `${JSON.stringify({ verdict, exitCode, findings }, redacted)}\n`;
}

function summary(findings: readonly Finding[]): string {
  const [failures, warnings] = [count(findings, 'fail'), count(findings, 'warn')];
  return failures + warnings === 0
    ? 'no failures, no warnings'
    : `${plural(failures, 'failure')}, ${plural(warnings, 'warning')}`;
}

function count(findings: readonly Finding[], verdict: string): number {
  return findings.filter((finding) => finding.verdict === verdict).length;
}

export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

const BYTE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1536` is `1.5 KiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** An age in the largest unit of which it has at least two. */
export function ageText(ms: number): string {
  const units = [
    [86_400_000, 'days'],
    [3_600_000, 'hours'],
    [60_000, 'minutes'],
  ] as const;
  const [unitMs, name] = units.find(([min]) => ms >= 2 * min) ?? [1000, 'seconds'];
  return `${Math.max(0, Math.round(ms / unitMs))} ${name}`;
}
