import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RUNS_ALL } from '../../support/program.js';
import {
  type Budget,
  firstState,
  MODEL_RULES,
  MODEL_TIMING,
  type ModelRules,
} from './share-model.js';
import { search } from './share-search.js';

const RATE = 2;
const STATES_MAX = 3_000_000;
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
  { what: 'orders wait between grant and start', processes: 3, budget: { holds: 1 } },
  { what: 'a clock is fast or slow', processes: 3, budget: { drifts: 1 } },
  { what: 'one is killed and starts again', processes: 3, budget: { kills: 1 }, isLong: true },
  { what: 'an answer is late or lost', processes: 3, budget: { losses: 1 }, isLong: true },
  {
    what: 'work comes or goes',
    processes: 3,
    budget: { needs: 1 },
    needs: [2, 0, 2],
    isLong: true,
  },
  {
    what: 'a live one is called dead',
    processes: 3,
    budget: { suspicions: 1 },
    needs: [2, 2, 0],
    isLong: true,
  },
  {
    what: 'a live one is called dead, with orders in hand',
    processes: 2,
    budget: { suspicions: 1, holds: 1 },
  },
  {
    what: 'a live one is called dead, and a clock drifts',
    processes: 2,
    budget: { suspicions: 1, drifts: 1 },
  },
  {
    what: 'one is killed, and called dead while it is back',
    processes: 2,
    budget: { kills: 1, suspicions: 1 },
  },
  { what: 'answers are late or lost', processes: 2, budget: { losses: 2 } },
  {
    what: 'an answer is lost, work goes, a live one is called dead',
    processes: 2,
    budget: { losses: 1, needs: 1, suspicions: 1 },
    isLong: true,
  },
];

const MUTATIONS: readonly (readonly [string, Omit<Case, 'what'>, Partial<ModelRules>])[] = [
  [
    'gives slots back without waiting for the window',
    { processes: 2, budget: {} },
    { inUse: () => 0 },
  ],
  [
    'takes the share of a dead one as soon as its lease is over',
    { processes: 2, budget: { suspicions: 1 } },
    { timing: { ...MODEL_TIMING, takeMs: MODEL_TIMING.validMs } },
  ],
  [
    'forgets that clocks drift',
    { processes: 2, budget: { suspicions: 1, drifts: 1 } },
    { timing: { ...MODEL_TIMING, takeMs: MODEL_TIMING.takeMs - 1 } },
  ],
  [
    'starts again without waiting for its last window',
    { processes: 1, budget: { kills: 1 } },
    { timing: { ...MODEL_TIMING, windowMs: 0 } },
  ],
];

function searched({ processes, budget, needs = [2, 2, 2] }: Omit<Case, 'what'>, rules: ModelRules) {
  const first = firstState(processes, RATE, needs, { ...NOTHING, ...budget });
  return search(first, rules, () => RATE, STATES_MAX);
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

  for (const [what, example, mutation] of MUTATIONS) {
    test(`the search finds that a process ${what}`, () => {
      const { broken } = searched(example, { ...MODEL_RULES, ...mutation });
      assert.notEqual(broken, null);
    });
  }
});
