import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Random } from '../../../drills/ledger/random.js';
import { PatternCompiler } from '../../../src/schema/pattern/compiler.js';
import { backtrackingGrowth } from '../../../src/schema/pattern/slow.js';
import { randomRegex } from '../random/regex.js';
import { randomText } from '../random/values.js';

const PATTERNS = 400;
const TEXTS = 40;
const TEXT_LENGTH_MAX = 12;

it('a linear matcher says what RegExp says, for random patterns and texts of all characters', () => {
  const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 32);
  console.log(`FOREBAY_SEED=${seed}`);
  const random = new Random(seed);
  const compiler = new PatternCompiler();
  const seen = { compiled: 0, matches: 0, others: 0 };
  for (let i = 0; i < PATTERNS; i++) {
    const { source, sample } = randomRegex(random);
    const matcher = compiler.matcher(source);
    if ('why' in matcher) continue;
    seen.compiled++;
    const regExp = new RegExp(source, 'u');
    const isSlow = backtrackingGrowth(source) !== 'linear';
    for (let j = 0; j < TEXTS; j++) {
      const text = random.once(3) ? randomText(random) : sample(random);
      // RegExp itself would not come to an end.
      if (isSlow && text.length > TEXT_LENGTH_MAX) continue;
      const found = matcher.test(text);
      if (found) seen.matches++;
      else seen.others++;
      assert.equal(found, regExp.test(text), `${regExp} ${JSON.stringify(text)}`);
    }
  }
  assert.ok(seen.compiled > PATTERNS / 2, JSON.stringify(seen));
  assert.ok(Math.min(seen.matches, seen.others) > 1000, JSON.stringify(seen));
});
