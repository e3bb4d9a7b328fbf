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
