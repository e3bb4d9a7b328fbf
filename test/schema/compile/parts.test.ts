import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Schema } from '../../../src/schema/judge/subschemas.js';
import { CompiledSchema } from './compiled-schema.js';

describe('the scanner of a schema', () => {
  it('leaves to ajv a part that it cannot decide, and decides about the rest', () => {
    const parts: readonly [Schema, string, string][] = [
      [{ not: { type: 'string' } }, '1', '"a"'],
      [{ type: 'array', uniqueItems: true }, '[1,"1",[1]]', '[{"a":1},{"a":1.0}]'],
      [{ type: 'array', contains: { const: 3 } }, '[1,3]', '[1]'],
      [{ if: { type: 'number' }, else: { minLength: 2 } }, '"ab"', '"a"'],
      [{ pattern: '(a)\\1' }, '"aa"', '"ab"'],
      [{ dependentRequired: { a: ['b'] } }, '{"a":1,"b":2}', '{"a":1}'],
      [{ oneOf: [{ minimum: 2 }, { maximum: 3 }] }, '1', '2.5'],
      [
        { allOf: [{ properties: { a: true } }], unevaluatedProperties: false },
        '{"a":1}',
        '{"b":1}',
      ],
    ];
    for (const [schema, valid, invalid] of parts) {
      const root = { type: 'object', properties: { v: schema, n: { type: 'integer' } } };
      const compiled = new CompiledSchema(root);
      assert.equal(compiled.leftTo.length, 1);
      for (const space of ['', ' ']) {
        assert.ok(compiled.scan(`{"v":${valid}${space},"n":1}`), valid);
        assert.ok(compiled.scan(`{"n":1,"v":${valid}${space}}`), valid);
        assert.ok(!compiled.scan(`{"v":${invalid}${space},"n":1}`), invalid);
        assert.ok(!compiled.scan(`{"v":${valid}${space},"n":"1"}`));
      }
    }
  });

  it('leaves whole bodies to ajv if a keyword looks beyond its schema', () => {
    const compiled = new CompiledSchema({ $dynamicAnchor: 'a', type: 'object' });
    assert.deepEqual(compiled.leftTo, ['$dynamicAnchor']);
    assert.ok(!compiled.scan('{}'));
    assert.ok(compiled.judge('{}'));
  });

  it('asks about a name that the table of a pattern does not know', () => {
    const compiled = new CompiledSchema({
      type: 'object',
      patternProperties: { '^\\P{L}': false },
    });
    assert.deepEqual(compiled.leftTo, []);
    assert.ok(compiled.scan('{"é":1,"a":2,"𐀀":3}'));
    for (const name of ['1', '\u{40000}', '\u{50000}', '\u{e0001}', '\u{10ffff}']) {
      assert.ok(!compiled.judge(`{"${name}":1}`), name);
      assert.ok(!compiled.scan(`{"${name}":1}`), name);
    }
  });
});
