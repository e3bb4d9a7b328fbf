import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import { matchEnd } from '../../../src/schema/pattern/byte-dfa.js';
import { PatternCompiler } from '../../../src/schema/pattern/compiler.js';
import { accepts, tableOf } from './verdicts.js';

/** Counts the bytes that are read. */
function countingBytes(text: string) {
  const bytes = Buffer.from(text);
  let reads = 0;
  const counting = new Proxy(bytes, {
    get(target, property) {
      reads += 1;
      return Reflect.get(target, property, target);
    },
  });
  return { counting, reads: () => reads };
}

describe('a table', () => {
  const SLOW = [
    '^(a+)+$',
    '^(a|a)*$',
    '^(a|aa)+$',
    '(a*)*b',
    '^(.*a){8}$',
    'a+a+a+b',
    '(?=(a+)+$)(?!b)',
    '^(?:a?){30}a{30}$',
  ];
  for (const source of SLOW) {
    it(`reads each byte once with ${source}`, () => {
      const dfa = tableOf(source);
      for (const length of [10, 1_000, 100_000]) {
        for (const end of ['', '!', 'é']) {
          const text = `${'a'.repeat(length)}${end}"`;
          const { counting, reads } = countingBytes(text);
          matchEnd(dfa, counting, 0);
          assert.ok(reads() <= Buffer.byteLength(text), `${reads()} reads of ${length} characters`);
        }
      }
    });
  }

  it('ends behind the end of the bytes if there is no quote', () => {
    for (const bytes of ['', 'a', 'aé', 'a😀']) {
      for (const cut of [0, 1, 2, 3]) {
        const buffer = Buffer.from(bytes);
        assert.equal(matchEnd(tableOf(''), buffer.subarray(0, buffer.length - cut), 0), -1);
      }
    }
  });

  it('refuses everything but raw text: every byte and pair of bytes, and sequences at the edges of UTF-8', () => {
    const dfa = tableOf('');
    const check = (...codes: number[]) => {
      const bytes = Uint8Array.from([...codes, 0x22]);
      const isText = codes.every((code) => code >= 0x20 && code !== 0x22 && code !== 0x5c);
      const expected = isText && isUtf8(bytes);
      assert.equal(matchEnd(dfa, bytes, 0) === bytes.length, expected, codes.join());
    };
    const edges = [0x00, 0x22, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    for (let first = 0; first < 256; first += 1) {
      check(first);
      for (let second = 0; second < 256; second += 1) check(first, second);
    }
    for (let first = 0xe0; first < 256; first += 1) {
      for (let second = 0x78; second < 0xc8; second += 1) {
        for (const third of edges) {
          check(first, second, third);
          if (first >= 0xf0) for (const fourth of edges) check(first, second, third, fourth);
        }
      }
    }
  });

  it('has the verdict of RegExp on every character', () => {
    for (const source of [
      '^\\p{L}$',
      '^[^\\p{Cc}\\p{Cs}]$',
      '^\\p{Script=Cyrillic}$',
      '^[\\p{L}\\p{M}\\p{N} _-]$',
      '^\\s$',
      '^[^\\x00-\\u{1f600}]$',
      '^\\P{Emoji}$',
      '^[\\p{Cn}\\u{40000}-\\u{40010}\\u{fffff}]$',
      '^[^\\p{Co}a]$',
      '^\\P{L}$',
    ]) {
      const oracle = new RegExp(source, 'u');
      const dfa = tableOf(source);
      for (let code = 0x20; code <= 0x10ffff; code += 1) {
        if (code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) continue;
        // Planes without characters are sampled.
        const isSampled = (code >= 0x40000 && code < 0xe0000) || code >= 0xf0000;
        if (isSampled && code % 0x101 !== 0 && (code & 0xffff) < 0xfff0) continue;
        const text = String.fromCodePoint(code);
        if (accepts(dfa, text) !== oracle.test(text))
          assert.fail(`${source} on U+${code.toString(16)}`);
      }
    }
  });
});

describe('the compiler', () => {
  const words = (count: number) =>
    Array.from({ length: count }, (_, at) => `w${(at * 7919) % 1e6}`);

  it('takes patterns of the size that schemas have', () => {
    const sources = [
      '^[A-Za-z0-9_-]{1,64}$',
      `^(?:${words(1_000).join('|')})$`,
      "^[\\p{L}\\p{M}' -]{1,255}$",
      '^.{1,4000}$',
      '^[^\\p{Cc}]{0,2000}$',
      '^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)(?=.*[^\\w\\s]).{8,128}$',
    ];
    for (const source of sources) {
      const dfa = tableOf(source);
      assert.ok(dfa.table.byteLength + dfa.classes.byteLength <= 512 * 1024, source);
    }
  });

  it('ends early with a reason for what would blow up', () => {
    const reasons: [string, RegExp][] = [
      ['(a|b)*a(a|b){20}', /more than 10,000 states/],
      ['(?:a{1,1000}){1,1000}', /more than 50,000 nodes/],
      ['^.{1,60000}$', /states|steps|nodes/],
      [`^(?:${words(30_000).join('|')})$`, /steps|states|nodes|KiB/],
      [
        `^(?:${Array.from({ length: 40 }, (_, at) => `(?=.*${String.fromCharCode(97 + (at % 26))}${at})`).join('')})`,
        /steps|states/,
      ],
      [
        `^[${Array.from({ length: 2_000 }, (_, at) => `${String.fromCodePoint(0x4e00 + 2 * at)}`).join('')}]{1,5}$`,
        /^$/,
      ],
      [
        `^(?:${Array.from({ length: 600 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join('|')})$`,
        /characters apart/,
      ],
      [
        `${Array.from({ length: 300 }, (_, at) => `${String.fromCodePoint(0x4e00 + at)}${at}`).join('|')}`,
        /characters apart/,
      ],
      ['(?:x*){100000}', /nodes|steps/],
      ['('.repeat(1e5) + ')'.repeat(1e5), /nested too deeply|too large|too many/i],
      ['('.repeat(2e3) + ')'.repeat(2e3), /^$|nested too deeply/],
    ];
    for (const [source, reason] of reasons) {
      const compiled = new PatternCompiler().compile(source);
      assert.match('why' in compiled ? compiled.why : '', reason, source.slice(0, 60));
    }
  });

  it('gives a reason for what has no table', () => {
    const reasons: [string, string, RegExp][] = [
      ['(a)\\1', 'u', /back references/],
      ['(?<=(?=a))b', 'u', /lookaround within a lookbehind/],
      ['(?=(?<=a))b', 'u', /lookbehind within a lookahead/],
      ['[', 'u', /^Unterminated character class$/],
      ['a', 'z', /Invalid flags/],
      ['a', 'v', /flag v/],
      ['a', 'y', /flag y/],
      ['😀', '', /surrogates/],
      ['é', 'i', /flag u/],
    ];
    for (const [source, flags, reason] of reasons) {
      const compiled = new PatternCompiler().compile(source, flags);
      assert.match('why' in compiled ? compiled.why : '', reason, `/${source}/${flags}`);
    }
  });

  it('never says yes where RegExp says no, whatever faults the engine has', () => {
    // Some versions of V8 say no to the first and yes to the second, against the specification.
    for (const [source, text] of [
      ['[^a]$', '😀'],
      ['[^a]{2}b$', '😀😀b'],
      ['(?:^x|[^a]b)$', '😀b'],
      ['\\B', 'a😀a'],
      ['^[^a]$', '😀'],
    ]) {
      const compiled = new PatternCompiler().compile(source);
      const oracle = new RegExp(source, 'u');
      assert.ok('why' in compiled || accepts(compiled, text) === oracle.test(text), source);
    }
  });

  it('compiles the same pattern once', () => {
    const compiler = new PatternCompiler();
    assert.equal(compiler.compile('a+', 'u'), compiler.compile('a+', 'u'));
    assert.notEqual(compiler.compile('a+', 'u'), compiler.compile('a+', 'iu'));
  });

  it('knows when a pattern takes everything or nothing', () => {
    for (const [source, isAnything, isNothing] of [
      ['^.*', true, false],
      ['a', false, false],
      ['$a', false, true],
    ] as const) {
      const dfa = tableOf(source);
      assert.deepEqual([dfa.isAnything, dfa.isNothing], [isAnything, isNothing], source);
    }
  });
});
