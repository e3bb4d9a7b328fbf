import type { Verdict } from '../ledger/verdict.js';
import type { Check, DiskFigures } from './disk.js';

/** From one kill to the next. */
export interface Round {
  /** Milliseconds of load before the kill. */
  readonly killedAfterMs: number;
  /** Milliseconds from the start after the kill to the ready line. */
  readonly readyAfterMs: number;
  /** Orders that were due in this round, by what their client got. */
  readonly accepted: number;
  readonly unanswered: number;
  readonly otherAnswers: number;
  readonly unsent: number;
}

/** What prove.json holds; the page shows all of it. */
export interface ProveRecord {
  readonly forebay: string;
  /** ISO 8601. */
  readonly takenAt: string;
  readonly node: string;
  readonly system: string;
  /** Names of the options that were given and used. */
  readonly options: readonly string[];
  readonly journal: 'local' | 'jetstream';
  /** What an accepted order survives, as the server says it. */
  readonly durability: string;
  readonly dataFolder: string;
  /** Empty with the local journal. */
  readonly stream: string;
  readonly rate: number;
  readonly seed: number;
  readonly rounds: readonly Round[];
  readonly verdict: Verdict;
  readonly disk: DiskFigures;
  readonly checks: readonly Check[];
  /** Whether every check held. */
  readonly ok: boolean;
}
