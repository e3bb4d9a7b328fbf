import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyFinder } from '../../src/idempotency/key-in-order.js';

function keyIn(pointer: string, order: string): string {
  return keyFinder(pointer)!(Buffer.from(order));
}

function hashed(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('base64url')}`;
}

const pointerOf = (path: readonly string[]) =>
  path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

describe('the key in an order', () => {
  it('is found at any depth, whatever stands before it', () => {
    for (const [pointer, order] of [
      ['/id', '{"id":"x"}'],
      ['/id', '{"a":{"id":"no"},"b":["id",{"id":1}],"c":"\\"id\\":","id":"x","d":1}'],
      [
        '/data/object/id',
        '{"id":"no","data":{"previous":{"id":"no"},"object":{"n":1.5e3,"id":"x"}}}',
      ],
      ['/items/1/id', '{"items":[{"id":"no"},{"id":"x"},{"id":"no"}]}'],
      ['/0', '["x"]'],
      ['/a~1b/~0c~01', '{"a/b":{"~c~1":"x"}}'],
      ['/id', '{"\\u0069d":"x"}'],
      ['/é', '{"é":"x"}'],
      ['/é', '{"\\u00e9":"x"}'],
      ['/', '{"a":1,"":"x"}'],
      ['/id', '{"id":"\\u0078"}'],
      ['/a', '{"b":"\\\\","a":"x"}'],
    ] as const) {
      assert.equal(keyIn(pointer, order), 'x', `${pointer} ${order}`);
    }
  });

  it('is empty where there is none', () => {
    for (const [pointer, order] of [
      ['/id', '{}'],
      ['/id', '[]'],
      ['/id', '"id"'],
      ['/id', '{"ID":"x"}'],
      ['/id', '{"id":""}'],
      ['/id', '{"id":null}'],
      ['/id', '{"id":true}'],
      ['/id', '{"id":["x"]}'],
      ['/id', '{"id":{"id":"x"}}'],
      ['/id/x', '{"id":"x"}'],
      ['/1', '["x"]'],
      ['/0', '[]'],
      ['/00', '["x"]'],
      ['/-', '["x"]'],
      ['/toString', '{}'],
    ] as const) {
      assert.equal(keyIn(pointer, order), '', `${pointer} ${order}`);
    }
  });

  it('is the text itself, or its hash if it cannot be a key', () => {
    const of = (text: string) => keyIn('/id', JSON.stringify({ id: text }));
    for (const text of ['evt_1', 'x'.repeat(64), '1', '{"a":1}', '~']) assert.equal(of(text), text);
    for (const text of ['x'.repeat(65), 'a b', 'é', '\u0000', 'int:1', 'sha256:x', ' ', '\n']) {
      assert.equal(of(text), hashed(text), JSON.stringify(text));
      assert.ok(of(text).length <= 64);
    }
  });

  it('is different for texts with different halves of surrogate pairs', () => {
    const of = (spelled: string) => keyIn('/id', `{"id":"${spelled}"}`);
    const all = ['\\ud83d', '\\ud83e', '\\ude00', 'a\\ud83d', '\\ufffd', '\\ud83d\\ude00'];
    assert.equal(new Set(all.map(of)).size, all.length);
    assert.equal(of('\\uD83D\\uDE00'), hashed('😀'));
  });

  it('of a number is its value, however it is spelled, and not that of a text', () => {
    const of = (number: string) => keyIn('/id', `{"id":${number}}`);
    for (const spelling of ['1', '1.0', '1e0', '10e-1', '0.1E+1', '1.000', '100e-2']) {
      assert.equal(of(spelling), 'int:1', spelling);
    }
    for (const zero of ['0', '-0', '0.0', '0e5', '-0.00e-3']) assert.equal(of(zero), 'int:0', zero);
    assert.equal(of('-12'), 'int:-12');
    assert.equal(of('1e3'), 'int:1000');
    assert.equal(of('1200'), 'int:1200');
    assert.notEqual(of('1'), keyIn('/id', '{"id":"1"}'));
    assert.notEqual(of('1'), of('-1'));
  });

  it('of a large number is exact', () => {
    const of = (number: string) => keyIn('/id', `{"id":${number}}`);
    assert.notEqual(of('9007199254740993'), of('9007199254740992'));
    assert.equal(of('12345678901234567890'), 'int:12345678901234567890');
    assert.match(of(`1${'2'.repeat(80)}`), /^sha256:/);
    assert.notEqual(of(`1${'2'.repeat(80)}`), of(`1${'2'.repeat(81)}`));
    assert.equal(of('1e400'), of('10e399'));
    assert.ok(of(`1e${'9'.repeat(300)}`).length <= 64);
  });

  it('is none of a number that is no integer', () => {
    for (const number of [
      '1.5',
      '1e-1',
      '-0.001',
      `1.${'0'.repeat(400)}1`,
      `1e-${'9'.repeat(40)}`,
    ]) {
      assert.equal(keyIn('/id', `{"id":${number}}`), '', number);
    }
  });

  it('takes linear time, whatever the number: a body can be one number of 1 MiB', () => {
    const zeros = '0'.repeat(2 ** 20);
    const nines = '9'.repeat(2 ** 20);
    for (const number of [`1${zeros}1`, `1.${zeros}`, `0.${zeros}1e${2 ** 20 + 1}`, `1e${nines}`]) {
      assert.match(keyIn('/id', `{"id":${number}}`), /^(?:int|sha256):/);
    }
    assert.equal(keyIn('/id', `{"id":1.${zeros}1}`), '');
  });

  it('is what JSON.parse finds, in any order', () => {
    const token = fc.constantFrom('id', 'a', '', 'é', '~/', '0', '"\\', '\u2028');
    const path = fc.array(token, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(path, fc.string({ minLength: 1 }), fc.jsonValue(), (tokens, text, other) => {
        let value: unknown = text;
        for (const each of tokens.toReversed()) {
          value = { before: other, [each]: value, behind: [other, { id: other }] };
        }
        const order = JSON.stringify(value);
        const key = keyIn(pointerOf(tokens), order);
        assert.ok(key === text || key === hashed(text), `${order} ${key}`);
      }),
    );
  });
});
