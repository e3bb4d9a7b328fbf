import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whyNoKey } from '../../src/idempotency/key-guarantee.js';
import { orderSchema } from '../../src/model/order.js';

const id = { type: 'string' };
const object = (properties: object, required = Object.keys(properties)) => ({
  type: 'object',
  required,
  properties,
});

describe('a schema guarantees the key at a pointer', () => {
  it('if it is a required string or integer all the way down', () => {
    const cases: readonly (readonly [object, string])[] = [
      [orderSchema, '/username'],
      [object({ id }), '/id'],
      [object({ id: { type: 'integer' } }), '/id'],
      [object({ id: { type: ['string', 'integer'] } }), '/id'],
      [object({ id: { const: 'x' } }), '/id'],
      [object({ id: { enum: ['x', 1] } }), '/id'],
      [object({ data: object({ object: object({ id }) }) }), '/data/object/id'],
      [object({ 'a/b': object({ '~': id }) }), '/a~1b/~0'],
      [{ $ref: '#/$defs/event', $defs: { event: object({ id }) } }, '/id'],
      [{ ...object({ id: { $ref: '#/definitions/id' } }), definitions: { id } }, '/id'],
      [{ type: 'object', allOf: [{ required: ['id'] }, { properties: { id } }] }, '/id'],
      [{ ...object({}, ['id']), additionalProperties: id }, '/id'],
      [{ oneOf: [object({ id }), object({ id: { type: 'integer' }, x: {} })] }, '/id'],
      [
        {
          type: 'object',
          required: ['id'],
          anyOf: [{ properties: { id } }, { properties: { id: { const: 1 } } }],
        },
        '/id',
      ],
      [object({ ids: { type: 'array', minItems: 1, items: id } }), '/ids/0'],
      [object({ ids: { type: 'array', minItems: 2, prefixItems: [{}, id] } }), '/ids/1'],
      [object({ ids: { type: 'array', minItems: 2, items: [{}, id] } }), '/ids/1'],
    ];
    for (const [schema, pointer] of cases) {
      assert.equal(whyNoKey(schema, pointer), '', JSON.stringify(schema));
    }
  });

  it('else it says what is missing', () => {
    const recursive = { $ref: '#' };
    const cases: readonly (readonly [unknown, string, RegExp])[] = [
      [object({ id }, []), '/id', /does not require \/id/],
      [object({ id }), '/other', /does not require \/other/],
      [object({ id }), '/toString', /does not require/],
      [{ required: ['id'], properties: { id } }, '/id', /that \/ is an object/],
      [{ ...object({ id }), type: ['object', 'null'] }, '/id', /is an object/],
      [object({ id: {} }), '/id', /\/id is a string or an integer/],
      [object({ id: { type: 'number' } }), '/id', /string or an integer/],
      [object({ id: { type: ['string', 'null'] } }), '/id', /string or an integer/],
      [object({ id: { enum: ['x', null] } }), '/id', /string or an integer/],
      [object({ id: { enum: [1.5] } }), '/id', /string or an integer/],
      [object({ a: object({ id }, []) }), '/a/id', /does not require \/a\/id/],
      [object({ a: { type: 'array', items: id } }), '/a/0', /minItems/],
      [object({ a: { type: 'array', minItems: 1, items: id } }), '/a/1', /minItems/],
      [object({ a: { type: 'array', minItems: 1, items: id } }), '/a/x', /minItems/],
      [{ oneOf: [object({ id }), object({ id }, [])] }, '/id', /object/],
      [{ anyOf: [] }, '/id', /object|^$/],
      [recursive, '/id', /object/],
      [{ $ref: '#/nowhere' }, '/id', /object/],
      [{ $ref: 'https://example.com/x' }, '/id', /object/],
      [true, '/id', /object/],
      [object({ id }), '/~2', /not a JSON pointer/],
      [object({ id }), '/id/x', /\/id is an object/],
    ];
    for (const [schema, pointer, why] of cases) {
      assert.match(whyNoKey(schema, pointer), why, JSON.stringify(schema));
    }
  });
});
