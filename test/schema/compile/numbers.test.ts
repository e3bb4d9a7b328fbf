import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../drills/ledger/random.js';
import {
  afterNumber,
  LONG_INTEGER_MIN,
  nearNumber,
  number,
} from '../../../src/schema/compile/number.js';

const value = new Float64Array(1);

/** As the last byte of a body, which no number can go on with. */
const bytesOf = (text: string) => new TextEncoder().encode(`${text}}`);

function digits(random: Random, most: number): string {
  return Array.from({ length: 1 + random.below(most) }, () => random.below(10)).join('');
}

function randomNumber(random: Random): string {
  const whole = random.once(3)
    ? '0'
    : `${1 + random.below(9)}${random.once(3) ? '' : digits(random, 20)}`;
  const fraction = random.once(2) ? '' : `.${digits(random, 20)}`;
  const exponent = random.once(4)
    ? `${random.pick(['e', 'E'])}${random.pick(['', '+', '-'])}${digits(random, 3)}`
    : '';
  return `${random.once(3) ? '-' : ''}${whole}${fraction}${exponent}`;
}

describe('a number in a body', () => {
  it('has the value that JSON.parse gives it, to the last bit', () => {
    const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 32);
    console.log(`FOREBAY_SEED=${seed}`);
    const random = new Random(seed);
    for (let i = 0; i < 100_000; i++) {
      const text = randomNumber(random);
      const bytes = bytesOf(text);
      const expected: number = JSON.parse(text);
      assert.equal(afterNumber(bytes, 0), text.length, text);
      const end = number(bytes, 0, value);
      assert.equal(end, Number.isFinite(expected) ? text.length : -1, text);
      if (end > 0) assert.ok(Object.is(value[0], expected), `${text}: ${value[0]}`);
      const isLong = Math.abs(expected) >= LONG_INTEGER_MIN;
      if (nearNumber(bytes, 0, value) < 0) continue;
      if (isLong)
        assert.ok(
          value[0]! / expected > 0.999999 &&
            Number.isInteger(value[0]) === Number.isInteger(expected),
          text,
        );
      else assert.ok(Object.is(value[0], expected), `${text}: ${value[0]}`);
    }
  });

  it('follows the grammar of JSON', () => {
    for (const text of [
      '',
      '-',
      '+1',
      '.5',
      '1.',
      '1.e1',
      '1e',
      '1e+',
      '--1',
      'Infinity',
      'NaN',
      'a',
    ]) {
      const bytes = bytesOf(text);
      for (const read of [number, nearNumber]) assert.equal(read(bytes, 0, value), -1, text);
      assert.equal(afterNumber(bytes, 0), -1, text);
    }
    // What follows cannot belong to a number, and is found wrong by who reads on.
    for (const [text, length] of [
      ['01', 1],
      ['1.5.2', 3],
      ['0x10', 1],
      ['1e5e', 3],
      ['-00', 2],
    ] as const) {
      const bytes = bytesOf(text);
      for (const read of [number, nearNumber]) assert.equal(read(bytes, 0, value), length, text);
      assert.equal(afterNumber(bytes, 0), length, text);
    }
  });
});
