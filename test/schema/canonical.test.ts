import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalJson } from '../../src/schema/canonical.js';

describe('the canonical form', () => {
  const cases: readonly [string, readonly string[]][] = [
    ['{"a":1,"b":[true,null,"x"]}', ['{ "b" : [ true , null , "x" ] ,\n"a" : 1 }']],
    ['{"product_id":1,"count":2,"username":3,"a":4,"z":5}', []],
    ['{"product_id":1,"count":2,"username":3}', ['{"username":3,"count":2,"product_id":1}']],
    ['{"__proto__":1,"constructor":{"toString":2}}', []],
    ['"é/\\"\\\\\\n"', ['"\\u00e9\\/\\u0022\\u005c\\u000a"']],
    ['"😀"', ['"\\ud83d\\ude00"', '"\\uD83D\\uDE00"']],
    ['"\\ud83d"', ['"\\uD83D"']],
    ['{"a":1}', ['{"\\u0061":1}']],
    ['0', ['-0', '0.0', '0e5', '-0.00E-2', `0e${'9'.repeat(400)}`]],
    ['100', ['1e2', '100.0', '1E+2', '10000e-2', '1e00002']],
    ['125e-1', ['12.5', '12.50', '1.25e1', '0.125E2']],
    ['-5e-1', ['-0.5', '-0.50']],
    ['12345678901234567890', ['1234567890123456789e1']],
    [`1${'2'.repeat(70)}e1`, [`1${'2'.repeat(70)}0`]],
    ['[]', ['[ ]']],
    ['{}', ['{ }']],
    ['[[],{},[{}]]', [' [ [ ] , { } , [ { } ] ] ']],
  ];

  for (const [canonical, spellings] of cases) {
    it(`${canonical} stands for every spelling of its value`, () => {
      for (const spelling of [canonical, ...spellings]) {
        assert.equal(canonicalJson(spelling), canonical, spelling);
      }
    });
  }

  it('is different for values that differ beyond the precision of a double', () => {
    const numbers = [
      '12345678901234567890',
      '12345678901234567891',
      '0.1',
      '0.10000000000000000001',
    ];
    assert.equal(new Set(numbers.map(canonicalJson)).size, numbers.length);
    assert.notEqual(canonicalJson('1e400'), canonicalJson('1e401'));
    assert.notEqual(canonicalJson(`1e${'9'.repeat(40)}`), canonicalJson(`1e${'8'.repeat(40)}`));
  });

  it('takes long texts and deep nesting', () => {
    const long = `"${'k'.repeat(1_000_000)}"`;
    assert.equal(canonicalJson(long), long);
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    assert.equal(canonicalJson(deep), deep);
    assert.equal(canonicalJson(`1e${'1'.repeat(1_000_000)}`).length, 1_000_004);
  });
});
