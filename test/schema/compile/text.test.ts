import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../drills/ledger/random.js';
import { NameSet } from '../../../src/schema/compile/names.js';
import { hasLength, text } from '../../../src/schema/compile/text.js';
import { writeUnescaped } from '../../../src/schema/compile/unescape.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What JSON.parse makes of the content of a string, or null. */
function parsed(content: Uint8Array): string | null {
  try {
    return JSON.parse(`"${decoder.decode(content)}"`);
  } catch {
    return null;
  }
}

const withQuote = (content: Uint8Array) => Uint8Array.of(...content, 0x22, 0x7d);

/** Every byte at the limit of a range, and its neighbours. */
const EDGES = [
  0x00, 0x1f, 0x20, 0x22, 0x5c, 0x7e, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff,
];

describe('a string in a body', () => {
  it('is read as JSON.parse and the decoder do, for all lead bytes and range limits', () => {
    const wrong: string[] = [];
    const look = (...bytes: number[]) => {
      const content = Uint8Array.from(bytes);
      const end = text(withQuote(content), 0, bytes.length + 2);
      const isWhole = end === bytes.length + 1;
      if (isWhole !== (parsed(content) !== null)) wrong.push(Buffer.from(content).toString('hex'));
    };
    for (let lead = 0; lead < 0x100; lead++) {
      look(lead);
      for (const second of EDGES) {
        look(lead, second);
        if (lead < 0xc0) continue;
        for (const third of EDGES) {
          look(lead, second, third);
          for (const fourth of EDGES) look(lead, second, third, fourth);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('has the code points of each character, raw and escaped', () => {
    for (let code = 0x20; code <= 0x10ffff; code += code < 0x3000 ? 1 : 61) {
      const character = String.fromCodePoint(code);
      const escaped = Array.from(
        { length: character.length },
        (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
      ).join('');
      const isRaw = code !== 0x22 && code !== 0x5c && (code < 0xd800 || code > 0xdfff);
      for (const spelling of isRaw ? [character, escaped] : [escaped]) {
        const bytes = withQuote(new TextEncoder().encode(spelling));
        assert.equal(text(bytes, 0, bytes.length), bytes.length - 1, spelling);
        assert.ok(hasLength(bytes, 0, bytes.length - 2, 1, 1), spelling);
      }
    }
  });

  it('is not read beyond the end', () => {
    const whole = new TextEncoder().encode('ab\\u0061é€😀"');
    for (let end = 0; end < whole.length; end++) assert.equal(text(whole, 0, end), -1);
    assert.equal(text(whole, 0, whole.length), whole.length);
  });

  it('without its escapes is what a client could have sent raw', () => {
    const random = new Random(7);
    const parts = [
      'a',
      'é',
      '😀',
      '\\u0061',
      '\\u00e9',
      '\\/',
      '\\ud83d\\ude00',
      '\\n',
      '\\"',
      '\\\\',
      '\\ud83d',
      '\\ude00',
      '\\u0000',
      '\\u20AC',
    ];
    const target = new Uint8Array(256);
    for (let i = 0; i < 20_000; i++) {
      const content = Array.from({ length: random.below(5) }, () => random.pick(parts)).join('');
      const bytes = withQuote(new TextEncoder().encode(content));
      const value: string = JSON.parse(`"${content}"`);
      const canBeRaw = JSON.stringify(value) === `"${value}"`;
      const end = writeUnescaped(bytes, 0, bytes.length, target);
      assert.equal(end, canBeRaw ? bytes.length - 1 : -1, content);
      if (end < 0) continue;
      const written = Buffer.from(target.subarray(0, Buffer.byteLength(value) + 1)).toString();
      assert.equal(written, `${value}"`);
    }
  });
});

describe('names that the schema does not have', () => {
  it('are found again in their object only, and in their body only', () => {
    const names = new NameSet();
    const body = new TextEncoder().encode('"a""a""b""é""\\u0061""a');
    const [a, again, b, e, escaped, open] = [0, 3, 6, 9, 13, 21];
    for (let round = 0; round < 3; round++) {
      names.clear();
      const [one, other] = [names.open(), names.open()];
      const add = (at: number, object: number) => names.add(body, at, body.length, object);
      assert.equal(add(a, one), again);
      assert.equal(add(b, one), e);
      assert.equal(add(e, one), escaped);
      assert.equal(add(again, one), -1);
      assert.equal(add(again, other), b);
      assert.equal(add(a, other), -1);
      assert.equal(add(escaped, one), -1);
      assert.equal(add(open, one), -1);
    }
  });

  it('are all kept while the table grows', () => {
    const names = new NameSet();
    for (let round = 0; round < 2; round++) {
      names.clear();
      const object = names.open();
      const texts = Array.from({ length: 20_000 }, (_, i) => `"n${i}"`);
      const body = new TextEncoder().encode(texts.join('') + texts.join(''));
      let at = 0;
      for (const one of texts) {
        assert.equal(names.add(body, at, body.length, object), at + one.length);
        at += one.length;
      }
      for (const one of texts) {
        assert.equal(names.add(body, at, body.length, object), -1);
        at += one.length;
      }
    }
  });

  // Each set has its own secret: with some of them, names that count up used to crowd.
  it('are told from each other, whatever the secret of the set is', () => {
    const texts = Array.from({ length: 16_000 }, (_, i) => `"attribute_${i}"`);
    const body = new TextEncoder().encode(texts.join(''));
    for (let set = 0; set < 500; set++) {
      const names = new NameSet();
      names.clear();
      const object = names.open();
      let at = 0;
      for (const one of texts) {
        assert.equal(names.add(body, at, body.length, object), at + one.length);
        at += one.length;
      }
    }
  });
});
