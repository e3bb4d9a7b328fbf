import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codePoints, endOfPrintable } from '../../src/schema/tokens.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isPrintable(bytes: Uint8Array): boolean {
  try {
    return /^[^\p{Cc}"\\]$/u.test(decoder.decode(bytes));
  } catch {
    return false;
  }
}

/** Every byte at the limit of a range, and its neighbours. */
const EDGES = [
  0x00, 0x1f, 0x20, 0x22, 0x5c, 0x7e, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff,
];
const LEADS = Array.from({ length: 0x80 }, (_, i) => 0x80 + i);

describe('UTF-8 in a string', () => {
  it('is accepted if the decoder accepts it and it is not a control character, for all lead bytes and range limits', () => {
    const wrong: string[] = [];
    const look = (...bytes: number[]) => {
      const character = Uint8Array.from(bytes);
      const passed = endOfPrintable(character, 0, bytes.length) === bytes.length;
      // Sequences of two characters are skipped: each character is tested alone.
      if (passed && codePoints(character, 0, bytes.length) !== 1) return;
      if (passed !== isPrintable(character)) wrong.push(Buffer.from(character).toString('hex'));
    };
    for (const lead of LEADS) {
      look(lead);
      for (const second of EDGES) {
        look(lead, second);
        for (const third of EDGES) {
          look(lead, second, third);
          for (const fourth of EDGES) look(lead, second, third, fourth);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('is accepted for every code point, which counts as one', () => {
    for (let code = 0x80; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const bytes = Buffer.from(String.fromCodePoint(code));
      const isControl = code < 0xa0;
      const end = endOfPrintable(bytes, 0, bytes.length);
      if (end !== (isControl ? 0 : bytes.length)) assert.fail(`U+${code.toString(16)}: ${end}`);
      if (codePoints(bytes, 0, bytes.length) !== 1) assert.fail(`U+${code.toString(16)}`);
    }
  });

  it('is not read beyond the end', () => {
    const whole = Buffer.from('é€😀');
    for (const [start, length] of [
      [0, 2],
      [2, 3],
      [5, 4],
    ] as const) {
      for (let cut = 1; cut < length; cut++) {
        assert.equal(endOfPrintable(whole, start, start + cut), start);
      }
    }
  });
});
