import type { Random } from '../../../drills/ledger/random.js';

/** A regular expression, and a way to make texts that it usually matches. */
export interface RandomRegex {
  readonly source: string;
  sample(random: Random): string;
}

const CHARS = [
  ...'abcxyzABC019 -_@.:/"\\+',
  'é',
  'ж',
  '€',
  'ſ',
  'K',
  '😀',
  '\u2028',
  '\x7f',
  '\x85',
];
const TEXT = ['', 'a', 'B', '0', '9', ' ', '\t', '\n', '\0', '"', '\\', '/', ...CHARS];

/** Classes, and characters that are in them. */
const CLASSES: readonly (readonly [string, string])[] = [
  ['[a-z]', 'amz'],
  ['[A-Za-z0-9_-]', 'aZ5_-'],
  ['[^a-c]', 'dA1 é😀"'],
  ['[^"\\\\]', 'a é😀'],
  ['[0-9a-f]', '09af'],
  ['\\d', '059'],
  ['\\D', 'a é'],
  ['\\w', 'aZ_0'],
  ['\\W', ' -é"'],
  ['\\s', ' \t\n\u2028\ufeff'],
  ['\\S', 'aé"😀'],
  ['.', 'a "😀é'],
  ['[\\s\\S]', 'a\n😀'],
  ['\\p{L}', 'aжé'],
  ['\\p{Lu}', 'AЖ'],
  ['\\P{L}', '1 -😀'],
  ['[^\\p{Cc}\\p{Cs}]', 'a é😀'],
  ['[\\u0400-\\u04ff]', 'жЯ'],
  ['[\\u{1f600}-\\u{1f64f}]', '😀😎'],
  ['[\\ud83d\\ude00]', '😀'],
  ['[\\x00-\\x7f]', 'a\0"~'],
  ['\\p{Script=Greek}', 'αΩ'],
  ['\\p{Emoji_Presentation}', '😀'],
];

/** Patterns that people write, and texts that they match. */
const KNOWN: readonly (readonly [string, readonly string[]])[] = [
  ['^(?:0|[1-9][0-9]?|100)$', ['0', '7', '42', '100', '101', '00']],
  ['^[A-Z]{3}$', ['EUR', 'USD', 'eur', 'EURO']],
  ['^[a-z0-9]+(?:-[a-z0-9]+)*$', ['a', 'some-slug-1', '-a', 'a--b']],
  ['^\\+[1-9]\\d{1,14}$', ['+4915112345678', '+1', '+10']],
  ['^[^\\p{Cc}\\p{Cs}]*$', ['', 'Максим', '😀', '\x85', '\0']],
  ['^(?!.*\\.\\.)[a-z.]+$', ['a.b', 'a..b', '.']],
  ['^evt_[A-Za-z0-9]{4,8}$', ['evt_1234', 'evt_abcdEFGH', 'evt_123']],
  ['(\\w)\\1', ['aa', 'ab', 'xbb']],
  ['\\bfoo\\b', ['foo', 'a foo b', 'foobar', 'éfoo']],
  ['^.{2,4}$', ['ab', '😀😀', 'a\nb', 'abcd', 'abcde']],
  ['^(a|b)*abb$', ['abb', 'aabb', 'abba']],
  ['', ['', 'anything', '"']],
];

export function randomRegex(random: Random): RandomRegex {
  if (random.once(3)) {
    const [source, texts] = random.pick(KNOWN);
    return { source, sample: (r) => r.pick(texts) };
  }
  const inner = alternation(random, 2);
  const [start, end] = [random.once(4) ? '' : '^', random.once(4) ? '' : '$'];
  const around = (r: Random, anchor: string) => (anchor === '' && r.once(2) ? r.pick(TEXT) : '');
  // Anchors bind tighter than alternatives: sometimes on purpose.
  const source = random.once(5) ? inner.source : `(?:${inner.source})`;
  return {
    source: `${start}${source}${end}`,
    sample: (r) => around(r, start) + inner.sample(r) + around(r, end),
  };
}

function alternation(random: Random, depth: number): RandomRegex {
  const count = random.once(3) ? 2 : 1;
  const parts = Array.from({ length: count }, () => sequence(random, depth));
  return {
    source: parts.map(({ source }) => source).join('|'),
    sample: (r) => r.pick(parts).sample(r),
  };
}

function sequence(random: Random, depth: number): RandomRegex {
  const parts = Array.from({ length: random.below(4) + (depth === 2 ? 1 : 0) }, () =>
    quantified(random, depth),
  );
  return {
    source: parts.map(({ source }) => source).join(''),
    sample: (r) => parts.map((part) => part.sample(r)).join(''),
  };
}

function quantified(random: Random, depth: number): RandomRegex {
  const one = atom(random, depth);
  if (random.once(25)) return look(random, one);
  if (!random.once(3)) return one;
  const [min, max] = random.pick([
    [0, 1],
    [0, 3],
    [1, 3],
    [2, 2],
    [1, 4],
    [3, 5],
    [0, 12],
  ]);
  const open = ['?', '*', '+', `{${min}}`, `{${min},${max}}`, `{${min},}`];
  const quantifier = random.pick(open);
  const [least, most] = bounds(quantifier, min!, max!);
  return {
    source: `${one.source}${quantifier}${random.once(6) ? '?' : ''}`,
    sample: (r) =>
      Array.from({ length: least + r.below(most - least + 1) }, () => one.sample(r)).join(''),
  };
}

function bounds(quantifier: string, min: number, max: number): [number, number] {
  if (quantifier === '?') return [0, 1];
  if (quantifier === '*') return [0, 3];
  if (quantifier === '+') return [1, 3];
  if (quantifier.endsWith(',}')) return [min, min + 2];
  return quantifier.includes(',') ? [min, max] : [min, min];
}

/** Look-around, word boundaries and anchors in the middle. */
function look(random: Random, one: RandomRegex): RandomRegex {
  const source = random.pick([
    `(?=${one.source})`,
    `(?!${one.source})`,
    `(?<=${one.source})`,
    '\\b',
    '\\B',
    '^',
    '$',
  ]);
  return { source, sample: () => '' };
}

function atom(random: Random, depth: number): RandomRegex {
  if (depth > 0 && random.once(5)) {
    const inner = alternation(random, depth - 1);
    const open = random.pick(['(?:', '(']);
    return { source: `${open}${inner.source})`, sample: (r) => inner.sample(r) };
  }
  if (random.once(2)) {
    const [source, members] = random.pick(CLASSES);
    const characters = [...members];
    return { source, sample: (r) => r.pick(characters) };
  }
  const char = random.pick(CHARS);
  return { source: char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&'), sample: () => char };
}
