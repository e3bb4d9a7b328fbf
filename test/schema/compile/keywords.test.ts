import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dialect, Schema } from '../../../src/schema/judge/subschemas.js';
import { CompiledSchema } from './compiled-schema.js';

interface Case {
  readonly schema: Schema;
  readonly dialect?: Dialect;
  /** JSON texts of the member `v`: the scanner must find the body valid, without the judge. */
  readonly valid: readonly string[];
  /** The body is invalid. */
  readonly invalid: readonly string[];
}

/** Each schema is compiled as a whole. */
const CASES: Readonly<Record<string, Case>> = {
  'a string': {
    schema: { type: 'string' },
    valid: ['""', '"a b"', '"é😀"', '"\\u00e9\\n\\"\\\\\\/"', '"\\ud800"', '"\u007f\u2028"'],
    invalid: ['1', 'null', '["a"]', '{}', 'true'],
  },
  'minLength, maxLength in code points': {
    schema: { type: 'string', minLength: 2, maxLength: 3 },
    valid: ['"ab"', '"😀😀"', '"😀😀😀"', '"\\ud83d\\ude00x"', '"\\n\\n\\n"', '"\\ud83d\\ud83d"'],
    invalid: ['"a"', '"abcd"', '"😀"', '"\\ud83d\\ude00"', '"\\u0061"', '"\\n\\n\\n\\n"'],
  },
  'minLength of many, maxLength 0': {
    schema: {
      anyOf: [
        { type: 'string', minLength: 20 },
        { type: 'string', maxLength: 0 },
      ],
    },
    valid: ['""', `"${'é'.repeat(20)}"`, `"${'a'.repeat(300)}"`],
    invalid: ['"a"', `"${'é'.repeat(19)}"`],
  },
  'pattern, with escapes of what could be sent raw': {
    schema: { type: 'string', pattern: '^[a-zа-я/]+$' },
    valid: ['"abc"', '"абв"', '"\\u0430\\u0431"', '"a\\/b"', '"a/b"', '"\\u0061"'],
    invalid: ['""', '"ABC"', '"a\\n"', '"a\\"b"', '"\\u0410"'],
  },
  'pattern beyond the first plane': {
    schema: { type: 'string', pattern: '^[😀-😎]{2}$' },
    valid: ['"😀😁"', '"\\ud83d\\ude00😁"'],
    invalid: ['"😀"', '"\\ud83d\\ude00"', '"\\ude00\\ud83d"'],
  },
  formats: {
    schema: {
      type: 'object',
      properties: {
        a: { format: 'date-time' },
        b: { format: 'email' },
        c: { format: 'uuid' },
        d: { format: 'uri' },
        e: { format: 'ipv4' },
        f: { format: 'ipv6' },
        g: { format: 'hostname' },
        h: { format: 'date' },
        i: { format: 'time' },
        j: { format: 'int32', type: 'number' },
        k: { format: 'password', type: 'string' },
      },
    },
    valid: [
      '{"a":"2026-11-28T15:31:07.25Z","b":"a.b@c.de","c":"7b1ba6c2-5c0e-4d3a-9f8f-0c1f4d2e6a51"}',
      '{"d":"https://a.b/c?d#e","e":"127.0.0.1","f":"::1","g":"a.example","h":"2024-02-29"}',
      '{"i":"23:59:60Z","j":2147483647,"k":"\\n","a":1}',
    ],
    invalid: [
      '{"a":"2026-11-28"}',
      '{"b":"a"}',
      '{"c":"7b1ba6c2"}',
      '{"d":"a b"}',
      '{"e":"256.0.0.1"}',
      '{"f":":::"}',
      '{"h":"2023-02-29"}',
      '{"j":2147483648}',
      '{"j":1.5}',
    ],
  },
  'enum of strings': {
    schema: { enum: ['a', 'ab', 'abc', 'b', 'é', 'a/b', ''] },
    valid: ['"a"', '"ab"', '"abc"', '"b"', '"é"', '"a/b"', '""'],
    invalid: ['"abcd"', '"c"', 'null', '1'],
  },
  'enum and const of any value': {
    schema: { enum: [1, 'x', true, null, { a: [1, { b: 2 }] }, [1, [2]], {}, []] },
    valid: [
      '1',
      '1.0',
      '1e0',
      '"x"',
      'true',
      'null',
      '{"a":[1,{"b":2.0}]}',
      '[ 1,[2]]',
      '{}',
      '[]',
    ],
    invalid: ['2', '"y"', 'false', '{"a":[1,{"b":3}]}', '{"a":[1]}', '[1,[2],3]', '{"a":1}', '[1]'],
  },
  'enum beside other keywords': {
    schema: { enum: ['a', 'bbb', 3, null], type: ['string', 'number'], maxLength: 2 },
    valid: ['"a"', '3'],
    invalid: ['"bbb"', 'null'],
  },
  'an integer is any number without a fraction': {
    schema: { type: 'integer' },
    valid: ['0', '-0', '7', '-7', '1.0', '1e2', '1.50e1', '12345678901234567890', '1e300', '0e5'],
    invalid: ['1.5', '1e-1', '"1"', '1e400', '-1e400'],
  },
  bounds: {
    schema: { type: 'number', minimum: -1.5, exclusiveMaximum: 10 },
    valid: [
      '-1.5',
      '9.99',
      '-0',
      '12.50e-1',
      '9.999999999999999',
      '0.1000000000000000055511151231257827',
    ],
    invalid: ['-1.51', '10', '1e1', '9.99999999999999999', '10.0'],
  },
  'bounds that few doubles reach': {
    schema: { type: 'integer', minimum: 2 ** 53, exclusiveMaximum: 1e22 },
    valid: ['9007199254740993', '9007199254740992', '1e21', '123456789012345678901'],
    invalid: ['9007199254740991', '10000000000000000000000', '1e22'],
  },
  'multipleOf by division, as ajv does': {
    schema: { type: 'number', multipleOf: 0.01 },
    valid: ['0', '12.5', '12.50', '-0.05', '1e2', '0.06'],
    invalid: ['0.005', '0.07', '0.29', '1e300', '1.001'],
  },
  'exclusiveMinimum and maximum': {
    schema: { exclusiveMinimum: 0, maximum: 1 },
    valid: ['1', '0.1', '"any"', 'null', '1e-300'],
    invalid: ['0', '-0', '1.01', '0.0'],
  },
  'boolean and null': {
    schema: { type: ['boolean', 'null'] },
    valid: ['true', 'false', 'null'],
    invalid: ['0', '"true"', '[]'],
  },
  'several types, each with its keywords': {
    schema: {
      type: ['string', 'integer', 'object', 'array'],
      maxLength: 2,
      maximum: 5,
      maxItems: 1,
      required: ['a'],
    },
    valid: ['"ab"', '5', '{"a":1}', '[7]', '[]'],
    invalid: ['"abc"', '6', '{}', '[1,2]', 'true', '1.5'],
  },
  'an open object': {
    schema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
    valid: ['{"a":1}', '{"b":[{}],"a":1,"c":null}', '{"a":1,"toString":1,"__proto__":{}}'],
    invalid: ['{}', '{"b":1}', '{"a":"1"}', '{"a":1,"b":1,"b":2}', '{"b":{"c":1,"c":1},"a":1}'],
  },
  'members named like those of every object': {
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: {
        toString: { type: 'integer' },
        constructor: { type: 'null' },
        hasOwnProperty: true,
      },
      required: ['toString', '__proto__'],
      patternProperties: { '^__': { type: 'string' } },
    },
    valid: ['{"toString":1,"constructor":null,"__proto__":"p"}', '{"__proto__":"","toString":0}'],
    invalid: [
      '{}',
      '{"toString":1}',
      '{"__proto__":{"toString":1}}',
      '{"toString":1,"__proto__":2}',
    ],
  },
  'additionalProperties with a schema': {
    schema: { type: 'object', properties: { a: true }, additionalProperties: { type: 'integer' } },
    valid: ['{"a":"x","b":1}', '{"b":1,"c":2}', '{}'],
    invalid: ['{"b":"x"}', '{"a":1,"b":1,"b":1}'],
  },
  'patternProperties, also for members of properties': {
    schema: {
      type: 'object',
      properties: { n_a: { minimum: 2 }, b: true },
      patternProperties: { '^n_': { type: 'integer' }, a$: { maximum: 5 } },
      additionalProperties: { type: 'null' },
    },
    valid: ['{"n_a":3}', '{"n_x":1,"xa":2,"b":"b","other":null}', '{"n_ba":5}'],
    invalid: ['{"n_a":1}', '{"n_a":6}', '{"n_a":2.5}', '{"n_x":"1"}', '{"n_ba":6}', '{"other":1}'],
  },
  'propertyNames, minProperties and maxProperties': {
    schema: {
      type: 'object',
      propertyNames: { pattern: '^[a-z]{1,3}$' },
      minProperties: 1,
      maxProperties: 2,
    },
    valid: ['{"a":1}', '{"abc":1,"b":{}}'],
    invalid: ['{}', '{"A":1}', '{"abcd":1}', '{"a":1,"b":2,"c":3}'],
  },
  'a name with a quote, a backslash, a line end': {
    schema: {
      type: 'object',
      properties: {
        'a"b': { type: 'integer' },
        '\\': true,
        '\n': true,
        'é`;//': { type: 'null' },
      },
    },
    valid: ['{"é`;//":null}', '{}'],
    invalid: ['{"a\\"b":"x"}', '{"é`;//":1}'],
  },
  'more members than are compared one by one': {
    schema: {
      type: 'object',
      additionalProperties: false,
      required: ['m7', 'm63'],
      properties: Object.fromEntries(
        Array.from({ length: 64 }, (_, i) => [`m${i}`, { type: 'integer', minimum: i }]),
      ),
    },
    valid: ['{"m7":7,"m63":63}', '{"m63":63,"m0":0,"m7":8}'],
    invalid: [
      '{"m7":7}',
      '{"m7":7,"m63":62}',
      '{"m7":7,"m63":63,"m64":1}',
      '{"m7":7,"m63":63,"m7":7}',
    ],
  },
  'items, minItems and maxItems': {
    schema: { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 3 },
    valid: ['[1]', '[ 1 , 2 , 3 ]'],
    invalid: ['[]', '[1,2,3,4]', '["1"]', '[1,]', '{}'],
  },
  prefixItems: {
    schema: {
      type: 'array',
      prefixItems: [{ type: 'string' }, { type: 'integer' }],
      items: { type: 'null' },
    },
    valid: ['[]', '["a"]', '["a",1]', '["a",1,null,null]'],
    invalid: ['[1]', '["a","b"]', '["a",1,2]'],
  },
  'items: false after prefixItems': {
    schema: { prefixItems: [{ type: 'number' }, { type: 'number' }], items: false, minItems: 2 },
    valid: ['[1,2.5]', '"no array"'],
    invalid: ['[1]', '[1,2,3]'],
  },
  'the tuple of draft-07': {
    dialect: 'draft-07',
    schema: { type: 'array', items: [{ type: 'string' }], additionalItems: { type: 'integer' } },
    valid: ['[]', '["a"]', '["a",1,2]'],
    invalid: ['[1]', '["a","b"]'],
  },
  '$ref with keywords beside it': {
    schema: { $ref: '#/$defs/a~1b%25', maxLength: 3 },
    valid: ['"ab"', '"abc"'],
    invalid: ['"a"', '"abcd"', '1'],
  },
  allOf: {
    schema: {
      allOf: [{ type: 'object', required: ['a'] }, { properties: { a: { type: 'integer' } } }],
    },
    valid: ['{"a":1}', '{"a":1,"b":{"c":[ ]}}'],
    invalid: ['{}', '{"a":"x"}', '1'],
  },
  'anyOf of types': {
    schema: {
      anyOf: [
        { type: 'string', maxLength: 1 },
        { type: 'null' },
        { type: 'array', items: { type: 'integer' } },
      ],
    },
    valid: ['"a"', 'null', '[1,2]', '[]'],
    invalid: ['"ab"', '1', '["a"]', '{}'],
  },
  'anyOf of objects without a tag': {
    schema: {
      anyOf: [
        { type: 'object', required: ['a'] },
        { type: 'object', required: ['b'] },
      ],
    },
    valid: ['{"a":1}', '{"b":{"c":1}}', '{"a":1,"b":2}'],
    invalid: ['{}', '{"c":1}', '{"b":1,"b":1}'],
  },
  'oneOf with a discriminating const': {
    schema: {
      oneOf: [
        {
          type: 'object',
          required: ['kind', 'a'],
          properties: { kind: { const: 'x' }, a: { type: 'integer' } },
        },
        {
          type: 'object',
          required: ['kind'],
          properties: { kind: { enum: ['y', 'z', 7] } },
          maxProperties: 2,
        },
        { type: 'object', required: ['kind'], properties: { kind: { const: null } } },
        { type: 'string' },
      ],
    },
    valid: [
      '{"kind":"x","a":1}',
      '{"a":1,"kind":"x"}',
      '{"b":{"kind":"x"},"kind":"z"}',
      '{"kind":7.0}',
      '{"kind":null}',
      '"s"',
    ],
    invalid: [
      '{"kind":"x"}',
      '{"kind":"w"}',
      '{"a":1}',
      '{"kind":"y","a":1,"b":2}',
      '{"kind":"x","a":1,"kind":"y"}',
      '1',
    ],
  },
  'a schema that refers to itself': {
    schema: { $ref: '#/$defs/tree' },
    valid: ['{"v":1,"c":[{"v":2,"c":[]},{"v":3}]}', '{"v":1}'],
    invalid: ['{"c":[]}', '{"v":1,"c":[{"v":"2"}]}', '{"v":1,"c":[{}]}'],
  },
  'annotations and an unknown place for them': {
    schema: {
      type: 'integer',
      title: 't',
      description: 'd',
      default: 1,
      examples: ['x'],
      deprecated: true,
      readOnly: true,
    },
    valid: ['1'],
    invalid: ['"x"'],
  },
  true: {
    schema: true,
    valid: ['1', '{"a":[1,{"b":null}]}', '"\\ud800"', '1e400'],
    invalid: ['{"a":1,"a":2}', '01'],
  },
  false: { schema: false, valid: [], invalid: ['1', '{}'] },
};

const $defs = {
  'a/b%': { type: 'string', minLength: 2 },
  tree: {
    type: 'object',
    required: ['v'],
    properties: { v: { type: 'integer' }, c: { type: 'array', items: { $ref: '#/$defs/tree' } } },
  },
};

/** What a client can put around and between the tokens of the body. */
const SPACED = [' ', '\n', '\r\n\t  '];

describe('the scanner of a schema', () => {
  for (const [name, { schema, dialect, valid, invalid }] of Object.entries(CASES)) {
    it(`decides about ${name}`, () => {
      const root = { type: 'object', properties: { v: schema }, required: ['v'], $defs };
      const compiled = new CompiledSchema(root, dialect);
      assert.deepEqual(compiled.leftTo, []);
      for (const value of valid) {
        assert.ok(compiled.judge(`{"v":${value}}`), `${value} is valid`);
        assert.ok(compiled.scan(`{"v":${value}}`), `asked about ${value}`);
        for (const space of SPACED) {
          const body = `${space}{${space}"v"${space}:${space}${value}${space}}${space}`;
          assert.ok(compiled.scan(body), `asked about ${body}`);
        }
      }
      for (const value of invalid) {
        assert.ok(!compiled.judge(`{"v":${value}}`), `${value} is invalid`);
        assert.ok(!compiled.scan(`{"v":${value}}`), `took ${value}`);
      }
    });
  }
});
