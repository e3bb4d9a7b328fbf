import type { Log } from '../model/log.js';

/** At most one line so often, milliseconds: with the bound reached, every settlement may run against it. */
const LOG_MS = 60_000;

/** The journal's count of what it keeps. */
export interface KeptDeadLetters {
  deadLetters(): number;
}

/**
 * Holds the number of dead letters to a bound. Nothing is ever evicted for a new one: an order that finds no room is
 * refused, and stays what it was, an order to be tried.
 */
export class DeadBound {
  readonly #kept: KeptDeadLetters;
  readonly #lettersMax: number;
  readonly #log: Log;
  /** Granted, and on their way into the journal. */
  #underWay = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(kept: KeptDeadLetters, lettersMax: number, log: Log) {
    this.#kept = kept;
    this.#lettersMax = lettersMax;
    this.#log = log;
  }

  /** How many of `wanted` orders may become dead letters: 0 to `wanted`. To be told when they are `filed`. */
  take(wanted: number): number {
    if (wanted === 0) return 0;
    const room = Math.max(0, this.#lettersMax - this.#kept.deadLetters() - this.#underWay);
    const granted = Math.min(wanted, room);
    this.#underWay += granted;
    if (granted < wanted) this.#report();
    return granted;
  }

  /** So many of those granted are in the journal, or never will be. */
  filed(letters: number): void {
    this.#underWay -= letters;
  }

  #report(): void {
    const nowMs = performance.now();
    if (nowMs - this.#loggedAtMs < LOG_MS) return;
    this.#loggedAtMs = nowMs;
    this.#log(
      'dead-letters-full',
      `${this.#lettersMax} dead letters are kept, which is --dead-max: orders that fail for good are put off instead; replay or drop some with forebay dlq`,
    );
  }
}
