import { describe, it } from 'node:test';
import { PatternCompiler } from '../../../src/schema/pattern/compiler.js';
import { assertSameTests, assertSameVerdicts, matcherOf, tableOf } from './verdicts.js';

/** A letter of each case, a digit, a word character, a space, two and three bytes, a line terminator, four bytes. */
const CHARS = ['a', 'b', 'A', '0', '_', ' ', 'é', 'ſ', '\u2028', '😀'];
const LENGTH_MAX = 4;
/** What a JSON string can only hold as an escape, too: the two halves of a character, line feed, quote. */
const ANY_CHARS = ['a', 'b', '0', ' ', '😀', '\ud83d', '\ude00', '\n', '"'];
const ANY_LENGTH_MAX = 3;

/** Groups of patterns: one space lies between two patterns. */
const PATTERNS: Readonly<Record<string, string>> = {
  anchors: `/^a/u /b$/u /^a$/u /^$/u /$^/u /a^/u /^^a$$/u /(?:^a|b$)+/u /x(?:^|a)*$b?/u /(?:^|a)b/u /a(?:$|b)/u`,
  lines: `/^a$/m /^a$/mu /a$^b/mu /a$.^b/msu`,
  boundaries: String.raw`/\ba/u /a\B/u /\b/u /\B/u /^\B$/u /a\b0/u /\bé\b/u /(?:\ba|b\b)*$/u /\bſ/iu /\Bſ/u /\B/ /\B\B$/u`,
  characters: String.raw`/^.$/u /^.$/su /^.$/ /^..$/ /^[^a]$/ /^[^a]$/u /^[]$/u /^[^]$/u /^\S$/u /^\S$/ /^\W{2}$/ /^[\d_é-ſ]+$/u
    /^[^\s\w]$/u /^\p{L}*$/u /^\P{L}$/u /^[^\p{L}\d]+$/u /^[\p{Emoji}a]$/u /^\u{1f600}$/u /^[\u{1f5ff}-\u{1f601}]$/u /^[\ud800-\udfff]$/u`,
  'without case': String.raw`/^a$/i /^s$/iu /^s$/i /^[^s]$/iu /^[^s]$/i /^\w$/iu /^\W$/iu /^[^\W]$/iu /^É$/iu /^[à-ÿ]+$/iu /^\p{Lu}$/iu
    /^\P{Lu}$/iu /^[^\P{Lu}]$/iu`,
  repetition: `/^(?:a|b)*$/u /^a{2,3}?$/u /^(?:a{0}b){2}$/u /a{0}/u /^(?:a*)*$/u /^(?:(?:a|b?)+){2}0?$/u /^(?:a?){3}$/u
    /^(?:|a)+b$/u /(?:a|b)*?a(?:a|b){2}/u /^(?:ab|a)(?:b0|0)$/u /^(?:)*$/u /^(?:){1000000000}a$/u`,
  lookahead: String.raw`/(?=ab)/u /^(?!a).*b$/u /(?=.*a)(?=.*b)/u /^(?=(?!a).)/u /^(?=a*$)/u /^(?!.*(?:aa|bb))[ab]+$/u /(?=a\b)/u /(?!)/u
    /(?=)/u /^(?:(?=a)[ab]|0(?!0))*$/u /(?=a|b$)(?!a$)/u /^(?=.{2,3}$)a/u /(?!a(?=b))a/u /a(?!$)/u /^(?=a)*b/ /(?!a)(?!b)/u /(?!.*$)/u`,
  lookbehind: String.raw`/(?<=a)b/u /(?<!a)b$/u /(?<=^a|b)0/u /(?<=\b)a/u /(?<=a$)/u /(?<!\B)/u /(?<!^)a/u /(?<=a.*)b/u /(?<!a.*)b/u
    /(?<=(?:ab)+)0/u /^(?:a(?<!aa)|b(?<=ab))*$/u /(?<!a)(?!a)/u /(?<!^.*)/u`,
  'nothing and everything': `/(?:)/u /[^]*/u /^[^]*$/u /[]/u`,
};

describe(`tables have the verdict of RegExp on every text of up to ${LENGTH_MAX} characters`, () => {
  const texts = allTexts(CHARS, LENGTH_MAX);
  const anyTexts = allTexts(ANY_CHARS, ANY_LENGTH_MAX);
  for (const [group, patterns] of Object.entries(PATTERNS)) {
    it(group, () => {
      for (const literal of patterns.split(/\s+/)) {
        const [, source, flags] = /^\/(.*)\/(\w*)$/.exec(literal)!;
        if (isLeftForV8(source!, flags!)) continue;
        const oracle = new RegExp(source, flags);
        assertSameVerdicts(tableOf(source, flags), oracle, texts);
        assertSameTests(matcherOf(source, flags), oracle, anyTexts);
      }
    });
  }
});

/** In some versions, RegExp has a fault, and ajv with it. */
function isLeftForV8(source: string, flags: string): boolean {
  const compiled = new PatternCompiler().compile(source, flags);
  return 'why' in compiled && compiled.why.includes('V8');
}

function allTexts(chars: readonly string[], lengthMax: number): string[] {
  const texts = [''];
  let longest = [''];
  for (let length = 1; length <= lengthMax; length += 1) {
    longest = longest.flatMap((text) => chars.map((char) => text + char));
    texts.push(...longest);
  }
  return texts;
}
