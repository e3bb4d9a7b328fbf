import assert from 'node:assert/strict';
import { type ByteDfa, matchEnd } from '../../../src/schema/pattern/byte-dfa.js';
import { PatternCompiler } from '../../../src/schema/pattern/compiler.js';
import type { LinearMatcher } from '../../../src/schema/pattern/linear-matcher.js';

/** Compiles a pattern that must have a table. */
export function tableOf(source: string, flags = 'u', compiler = new PatternCompiler()): ByteDfa {
  const compiled = compiler.compile(source, flags);
  if ('why' in compiled) assert.fail(`/${source}/${flags} is not compiled: ${compiled.why}`);
  return compiled;
}

/** A matcher of any string, which must exist. */
export function matcherOf(
  source: string,
  flags = 'u',
  compiler = new PatternCompiler(),
): LinearMatcher {
  const matcher = compiler.matcher(source, flags);
  if ('why' in matcher) assert.fail(`/${source}/${flags} is not compiled: ${matcher.why}`);
  return matcher;
}

/** The verdict of a table on a text. If it accepts, it must end right behind the quote. */
export function accepts(dfa: ByteDfa, text: string): boolean {
  // What follows the string must not matter.
  const bytes = Buffer.from(`"${text}""`);
  const end = matchEnd(dfa, bytes, 1);
  if (end < 0) return false;
  assert.equal(end, bytes.length - 1);
  return true;
}

/** Compares a table with RegExp on texts of characters that a JSON string can hold raw. */
export function assertSameVerdicts(dfa: ByteDfa, oracle: RegExp, texts: Iterable<string>): void {
  for (const text of texts) {
    const expected = oracle.test(text);
    if (accepts(dfa, text) !== expected) {
      assert.fail(`${oracle} on ${JSON.stringify(text)}: RegExp says ${expected}`);
    }
  }
}

/** Compares a matcher with RegExp on any texts. */
export function assertSameTests(
  matcher: LinearMatcher,
  oracle: RegExp,
  texts: Iterable<string>,
): void {
  for (const text of texts) {
    const expected = oracle.test(text);
    if (matcher.test(text) !== expected) {
      assert.fail(`${oracle}, matcher, on ${JSON.stringify(text)}: RegExp says ${expected}`);
    }
  }
}
