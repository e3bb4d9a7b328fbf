import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../drills/ledger/random.js';
import { backtrackingGrowth, type Growth } from '../../../src/schema/pattern/slow.js';
import { Backtracker } from './backtracker.js';

const GROWTHS: Readonly<Partial<Record<Growth, string>>> = {
  exponential: String.raw`^(a+)+$ ^(a|a)*$ ^(a*)*$ ^([a-z]+\d?)+$ ^(\w+\s?)*$ ^(a|aa)+$ ^(a|b|ab)*c (x+x+)+y ^((ab)*)*$ ^(?:a?b?)*$
    ^(?:(?:(?:a*)*)*)*$ ^(([a-z])+.)+[A-Z]([a-z])+$ ^(.*)(\1)+$ (?=(a+)+$)b (?<=(?:a|a)*)b ^(?:\p{L}|é)*$ ^(?:[^b]|a)*$ ^(?:a{2,5}){2,5}$`,
  polynomial: String.raw`^(?:.*,){11}P (a|b)*a(a|b){20} ^a*a*$ a+$ \s+$ ^(a+)\1$ ^(?:(?=.*x)a)*$ (?=.*x) ^(?!.*(.).*\1)[a-z]+$ ^\d+\d+$ ^.*a.*$
    ^[a-z]*[a-c]{5,}$ ^(?<a>x*)-?\k<a>$`,
  linear: String.raw`^(a?)*$ ^\w+(\s\w+)*$ ^a+b+$ (\w)\1 ^<(\w+)>.*</\1>$ ^(?=.*\d)(?=.*[a-z]).{8,}$ ^[a-z]{1,65535}$ ^(?:a|b|c)*$ ^\s*$
    ^([a-z]{1,65535}-){3}$ ^(ab|a)(bc|c)$ ^(['"]).*\1$ ^(?<q>['"])(?:(?!\k<q>).)*\k<q>$ ^(a(b|c)*)*$ abc ^
    ^(?:\p{L}|\d)*$ (a\1)`,
};

describe('the growth of a backtracking engine', () => {
  for (const [growth, patterns] of Object.entries(GROWTHS)) {
    for (const source of patterns.split(/\s+/)) {
      it(`is ${growth} with ${source}`, () => {
        new RegExp(source, 'u');
        assert.equal(backtrackingGrowth(source), growth);
      });
    }
  }

  it('is unknown for patterns that are too large, too deep or too new', () => {
    const words = Array.from({ length: 3000 }, (_, at) => `(?:${at}a*)`).join('|');
    for (const source of [`(?:${words})*`, '('.repeat(1e5) + ')'.repeat(1e5), '(?i:a)*(']) {
      assert.equal(backtrackingGrowth(source), 'unknown', source.slice(0, 50));
    }
  });
});

const ATOMS = ['a', 'b', 'c', '.', '[ab]', '[^a]', '\\w'];
const QUANTIFIERS = ['*', '+', '?', '{2}', '{1,3}', '*?', '+?'];

function randomPattern(random: Random, depth: number): string {
  const terms = Array.from({ length: 1 + random.below(3) }, () => {
    const isGroup = depth > 0 && random.once(2);
    const atom = isGroup ? `(?:${randomPattern(random, depth - 1)})` : random.pick(ATOMS);
    return random.once(2) ? atom + random.pick(QUANTIFIERS) : atom;
  });
  if (depth > 0 && random.once(12)) terms.push(`(?=${randomPattern(random, 0)})`);
  const rest = random.once(3) ? `|${randomPattern(random, depth - 1)}` : '';
  return terms.join('') + (depth > 0 ? rest : '');
}

describe('patterns of linear growth', () => {
  const PATTERNS = 1_500;
  const PUMPS = [24, 48, 96];
  const STEPS_MAX = 2_000_000;

  it('take a backtracking matcher steps in proportion to the length of the text', () => {
    const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 32);
    console.log(`FOREBAY_SEED=${seed}`);
    const random = new Random(seed);
    const tally: Record<string, number> = {};
    for (let count = 0; count < PATTERNS; count += 1) {
      const source = `^(?:${randomPattern(random, 2)})$`;
      const growth = backtrackingGrowth(source);
      tally[growth] = (tally[growth] ?? 0) + 1;
      if (growth !== 'linear') continue;
      const matcher = new Backtracker(source);
      for (const word of ['a', 'b', 'ab', 'ba', 'abc', 'aab']) {
        const steps = PUMPS.map((times) => {
          matcher.test(`${word.repeat(times)}!`, STEPS_MAX);
          return matcher.steps;
        });
        // Twice the text: twice the steps; the square would be four times. The first step alone can be larger, if the pattern
        // fails late only for some lengths.
        const isSteep = (at: number) => steps[at + 1] > 2.6 * steps[at] + 300;
        assert.ok(!isSteep(0) || !isSteep(1), `${source} on ${word}: ${steps.join(', ')} steps`);
      }
    }
    assert.ok(
      tally.linear > PATTERNS / 10 && tally.exponential > PATTERNS / 10,
      JSON.stringify(tally),
    );
  });
});
