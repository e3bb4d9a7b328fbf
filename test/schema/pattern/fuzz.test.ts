import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../drills/ledger/random.js';
import { PatternCompiler } from '../../../src/schema/pattern/compiler.js';
import { RandomPattern, randomText } from './random-pattern.js';
import { assertSameTests, assertSameVerdicts } from './verdicts.js';

const PATTERNS = 2_500;
const TEXTS = 60;
/** Why a pattern may have no table, or no matcher: that costs too much. */
const BOUND = /steps|states|nodes|KiB|V8/;
const FLAGS = ['u', 'u', 'u', 'iu', 'su', 'mu', '', 's', 'm'];

describe('tables of random patterns', () => {
  it('have the verdicts of RegExp', () => {
    const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 32);
    console.log(`FOREBAY_SEED=${seed}`);
    const random = new Random(seed);
    const compiler = new PatternCompiler();
    let compiledCount = 0;
    let matcherCount = 0;
    for (let count = 0; count < PATTERNS; count += 1) {
      const flags = random.pick(FLAGS);
      const source = new RandomPattern(random, flags.includes('u')).next();
      const oracle = new RegExp(source, flags);
      const compiled = compiler.compile(source, flags);
      if ('why' in compiled) {
        assert.match(compiled.why, BOUND, `/${source}/${flags}`);
        continue;
      }
      compiledCount += 1;
      const texts = Array.from({ length: TEXTS }, () => randomText(random, 8));
      assertSameVerdicts(compiled, oracle, texts);
      if (count % 4 !== 0) continue;
      const anyTexts = texts.map((text) => mixed(random, text));
      const matcher = compiler.matcher(source, flags);
      if ('why' in matcher) {
        // It has to know more characters than the table.
        assert.match(matcher.why, BOUND, `/${source}/${flags}`);
        continue;
      }
      matcherCount += 1;
      assertSameTests(matcher, oracle, anyTexts);
    }
    assert.ok(compiledCount > PATTERNS * 0.95, `${compiledCount} of ${PATTERNS} are compiled`);
    assert.ok(matcherCount > (PATTERNS / 4) * 0.9, `${matcherCount} have a matcher`);
  });
});

/** The text with characters that a JSON string can only hold as an escape. */
function mixed(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(['\ud83d', '\ude00', '\n', '"', '\\']) + text.slice(at);
}
