import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RUNS_ALL } from '../../support/program.js';
import { type Budget, firstState, MODEL_RULES, type ModelRules } from './share-model.js';
import { search } from './share-search.js';

const RATE = 2;
const NOTHING: Budget = {
  needs: 0,
  rates: 0,
  drifts: 0,
  suspicions: 0,
  losses: 0,
  holds: 0,
  kills: 0,
};

/** What may happen besides: reads and writes at any time, or never, which is a frozen or dead process. */
interface Case {
  readonly what: string;
  readonly processes: number;
  readonly budget: Partial<Budget>;
  readonly needs?: number[];
  /** Takes more than some seconds. */
  readonly isLong?: boolean;
}

const CASES: readonly Case[] = [
  { what: 'nothing else', processes: 3, budget: {} },
  {
    what: 'a live one is called dead, with orders in hand',
    processes: 2,
    budget: { suspicions: 1, holds: 1 },
  },
  { what: 'one is killed and starts again', processes: 2, budget: { kills: 1, suspicions: 1 } },
  { what: 'answers are late or lost', processes: 2, budget: { losses: 2 } },
];

function searched({ processes, budget, needs = [2, 2, 2] }: Case, rules: ModelRules) {
  const first = firstState(processes, RATE, needs, { ...NOTHING, ...budget });
  return search(first, rules, () => RATE, 3_000_000);
}

describe('all states of processes that share a drain rate', () => {
  for (const example of CASES) {
    const { what, processes, isLong = false } = example;
    const skip = isLong && !RUNS_ALL ? 'long' : false;
    test(`${processes} processes, ${what}: never too many starts`, { skip }, () => {
      const { states, broken, isWhole } = searched(example, MODEL_RULES);
      assert.equal(broken, null, broken?.join('\n'));
      assert.ok(isWhole, `more than ${states} states`);
    });
  }
});
