import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Contract } from '../../../src/schema/contract.js';
import { openAjv } from '../../../src/schema/judge/ajv.js';
import { FAULT_CHARS_MAX } from '../../../src/schema/judge/fault-text.js';
import { Judge } from '../../../src/schema/judge/judge.js';
import type { Dialect, Schema } from '../../../src/schema/judge/subschemas.js';

const DEPTH_MAX = 64;

function contract(schema: Schema, dialect: Dialect = '2020-12'): Contract {
  return { source: 'test', schema, dialect, digest: '' };
}

/** The fault of a body in latin1, one character per byte; '' if it is accepted. */
function faultOf(schema: Schema, body: string, dialect: Dialect = '2020-12'): string {
  const judge = new Judge(contract(schema, dialect), DEPTH_MAX);
  const bytes = Buffer.from(` ${body} `, 'latin1');
  return judge.accepts(bytes, 1, bytes.length - 1) ? '' : judge.fault;
}

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('strict JSON', () => {
  const CASES: readonly [string, string][] = [
    ['{"a":1}', ''],
    ['\r\n\t {"a":[true,false,null,-1.5e+3,"\\u00e9\\ud83d"]} ', ''],
    ['"\xff"', '/ utf8'],
    ['"\xed\xa0\x80"', '/ utf8'],
    ['\xef\xbb\xbf{}', '/ json'],
    ['', '/ json'],
    ['{"a":1', '/ json'],
    ['{"a":01}', '/ json'],
    ['"\t"', '/ json'],
    ['{}{}', '/ json'],
    [nested(DEPTH_MAX), ''],
    [nested(DEPTH_MAX + 1), '/ depth'],
    [`[${'[]},{'.repeat(9)}`, '/ json'],
    ['['.repeat(100_000), '/ json'],
    [nested(100_000), '/ depth'],
    [`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, '/ depth'],
    [`{"a":"${'[{'.repeat(99)}"}`, ''],
    ['{"a":1,"a":1}', '/ duplicate'],
    ['{"a":1,"\\u0061":1}', '/ duplicate'],
    ['[{"b":{"a":1}},{"b":[{"a":{},"c":{},"a":{}}]}]', '/ duplicate'],
    ['{"__proto__":1,"\\u005f_proto__":2}', '/ duplicate'],
    ['{"a:a\\":":{"b":":"}}', ''],
    ['{"1":1,"01":1,"1.0":1}', ''],
    ['{"\\ud800":1,"\\uD800":1}', '/ duplicate'],
    ['{"":0,"":0}', '/ duplicate'],
  ];
  for (const [body, fault] of CASES) {
    it(`${fault === '' ? 'accepts' : `refuses for ${fault}`}: ${JSON.stringify(body.slice(0, 60))}`, () => {
      assert.equal(faultOf(true, body), fault);
    });
  }

  it('reports utf8 before json, json before depth, depth before duplicate, duplicate before the schema', () => {
    assert.equal(faultOf(false, `${nested(99)}x\xff`), '/ utf8');
    assert.equal(faultOf(false, `${nested(99)}x`), '/ json');
    assert.equal(faultOf(false, `[{"a":1,"a":1},${nested(99)}]`), '/ depth');
    assert.equal(faultOf(false, '{"a":1,"a":1}'), '/ duplicate');
    assert.equal(faultOf(false, '{"a":1}'), '/ false');
  });
});

describe('the fault text', () => {
  const items: Schema = {
    type: 'object',
    properties: {
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: ['sku', 'unit price'],
          properties: { qty: { type: 'integer', minimum: 1 }, sku: { type: 'string' } },
        },
      },
    },
    additionalProperties: { type: 'number' },
  };
  const CASES: readonly [Schema, string, string][] = [
    [items, '{"items":[{"sku":"a","unit price":1,"qty":0}]}', '/items/0/qty minimum'],
    [items, '{"items":[{"sku":"a"}]}', '/items/0 required unit%20price'],
    [items, '[]', '/ type'],
    [items, '{"a/b~c":"x"}', '/a~1b~0c type'],
    [items, '{"a b%\\u00e9\\n":"x"}', '/a%20b%25%C3%A9%0A type'],
    [items, '{"\\ud800":"x"}', '/%EF%BF%BD type'],
    [{ properties: { a: false } }, '{"a":1}', '/a false'],
    [{ additionalProperties: false }, '{"a":1}', '/ additionalProperties'],
    [{ dependentRequired: { a: ['b'] } }, '{"a":1}', '/ dependentRequired b'],
    [{ const: { a: 1 } }, '{"a":2}', '/ const'],
    [{ enum: [1, 'a'] }, '2', '/ enum'],
    [{ uniqueItems: true }, '[1,1.0]', '/ uniqueItems'],
  ];
  for (const [schema, body, fault] of CASES) {
    it(`is ${fault}`, () => assert.equal(faultOf(schema, body), fault));
  }

  it('is bounded and visible ASCII, whatever the names', () => {
    for (const name of [
      'a'.repeat(500_000),
      'é'.repeat(200_000),
      '%'.repeat(255),
      '\ud83d\ude00'.repeat(70),
    ]) {
      const body = Buffer.from(JSON.stringify({ [name]: 'x' })).toString('latin1');
      const fault = faultOf(items, body);
      assert.ok(fault.length <= FAULT_CHARS_MAX, fault);
      assert.match(fault, /^\/(?:[!-$&-~]|%[0-9A-F]{2})+\.\.\. type$/);
    }
  });
});

describe('the fault of a union', () => {
  const $defs = {
    card: {
      type: 'object',
      required: ['kind', 'number'],
      properties: { number: { type: 'string' }, kind: { const: 'card' } },
    },
    sepa: {
      type: 'object',
      required: ['kind', 'iban'],
      properties: { kind: { enum: ['sepa'] }, iban: { type: 'string', pattern: '^[A-Z]{2}' } },
    },
  };
  const payment = { oneOf: [{ $ref: '#/$defs/card' }, { $ref: '#/$defs/sepa' }] };
  const schema: Schema = { $defs, properties: { 'pay/1': payment, list: { items: payment } } };

  it('is that of the alternative whose constant the value has', () => {
    assert.equal(faultOf(schema, '{"pay/1":{"kind":"sepa","iban":"12"}}'), '/pay~11/iban pattern');
    assert.equal(faultOf(schema, '{"pay/1":{"kind":"sepa"}}'), '/pay~11 required iban');
    assert.equal(faultOf(schema, '{"pay/1":{"kind":"card","number":3}}'), '/pay~11/number type');
    const list = '{"list":[{"kind":"card","number":"1"},{"kind":"sepa","iban":1}]}';
    assert.equal(faultOf(schema, list), '/list/1/iban type');
  });

  it('is the member with the constants if its value is that of no alternative', () => {
    assert.equal(faultOf(schema, '{"pay/1":{"kind":"cash","number":"1"}}'), '/pay~11/kind const');
    assert.equal(faultOf(schema, '{"pay/1":{"kind":"cash"}}'), '/pay~11/kind const');
    assert.equal(faultOf(schema, '{"list":[{"kind":null}]}'), '/list/0/kind const');
    // A member that is missing is what the first alternative says.
    assert.equal(faultOf(schema, '{"pay/1":{"number":"1"}}'), '/pay~11 required kind');
    // A member that only some alternatives have does not tell.
    const some = { oneOf: [...payment.oneOf, { required: ['voucher'] }] };
    assert.equal(faultOf({ $defs, ...some }, '{"kind":"cash"}'), '/ required number');
  });

  it('is the first of the first alternative if no constant tells', () => {
    assert.equal(faultOf(schema, '{"pay/1":7}'), '/pay~11 type');
    assert.equal(faultOf({ anyOf: [{ type: 'string' }, { type: 'null' }] }, '1'), '/ type');
  });

  it('is the first of the first alternative if one is so large that to compile it again would take long', () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`m${i}`, { type: 'null' }]),
    );
    const branch = (kind: string) => ({ properties: { kind: { const: kind }, ...many } });
    const large: Schema = { oneOf: [branch('a'), branch('b')] };
    assert.equal(faultOf(large, '{"kind":"b","m1":1}'), '/kind const');
  });

  it('is the keyword if more than one alternative of oneOf is valid', () => {
    const two = { oneOf: [{ type: 'null' }, { minimum: 1 }, { type: 'integer' }] };
    assert.equal(faultOf(two, '1'), '/ oneOf');
  });

  it('is found in unions inside each other, and behind if', () => {
    const shape = (kind: string, inner: object) => ({
      properties: { kind: { const: kind }, inner },
      required: ['kind', 'inner'],
    });
    const nested = {
      oneOf: [
        shape('a', { type: 'null' }),
        shape('b', { anyOf: [shape('c', false as never), shape('d', { type: 'string' })] }),
      ],
    };
    const body = '{"kind":"b","inner":{"kind":"d","inner":1}}';
    assert.equal(faultOf(nested, body), '/inner/inner type');
    const conditional = Object.fromEntries([
      ['if', true],
      ['then', nested],
    ]);
    assert.equal(faultOf(conditional, body), '/inner/inner type');
  });
});

describe('equality of values', () => {
  it('is not fooled by members that JavaScript has a meaning for', () => {
    const schema: Schema = {
      uniqueItems: true,
      contains: { const: { valueOf: { constructor: 1 } } },
    };
    assert.equal(
      faultOf(
        schema,
        '[{"valueOf":1},{"valueOf":{"constructor":1}},{"toString":1},{"__proto__":1},{"constructor":{}}]',
      ),
      '',
    );
    assert.equal(
      faultOf(schema, '[{"valueOf":{"constructor":1.0}},{"constructor":{}},{"constructor":{}}]'),
      '/ uniqueItems',
    );
  });

  it('compares numbers by value, and objects without regard to the order of members', () => {
    const schema: Schema = { uniqueItems: true };
    assert.equal(faultOf(schema, '[0,-0.0]'), '/ uniqueItems');
    assert.equal(faultOf(schema, '[[1e2],[100]]'), '/ uniqueItems');
    assert.equal(faultOf(schema, '[{"a":1,"b":[2]},{"b":[2],"a":1}]'), '/ uniqueItems');
    assert.equal(
      faultOf(schema, '[[1e400],[null],["1"],[1],[[1]],[{"1":1}],[true],["true"],1,"1",true,null]'),
      '',
    );
    assert.equal(faultOf({ enum: [{ a: 1, b: null }, [0]] }, '{"b":null,"a":1}'), '');
    assert.equal(faultOf({ enum: [{ a: 1, b: null }, [0]] }, '[-0]'), '');
  });

  it('takes linear time', () => {
    const body = `[${Array.from({ length: 60_000 }, (_, i) => `{"a":${i}}`).join()}]`;
    assert.equal(faultOf({ uniqueItems: true }, body), '');
    assert.equal(
      faultOf({ uniqueItems: true }, body.replace(']', ',{"a":59999}]')),
      '/ uniqueItems',
    );
  });
});

describe('ajv of the judge', () => {
  it('checks keywords in the order of ajv', () => {
    const settings = { strict: false, logger: false } as const;
    const dialects: readonly (readonly [Dialect, Ajv])[] = [
      ['2020-12', new Ajv2020(settings) as unknown as Ajv],
      ['draft-07', new Ajv(settings)],
    ];
    for (const [dialect, plain] of dialects) {
      formats.default(plain);
      assert.deepEqual(rulesOf(openAjv(dialect, true)), rulesOf(plain), dialect);
    }
  });

  function rulesOf({ RULES }: Ajv): (string | undefined)[][] {
    return RULES.rules.map(({ type, rules }) => [type, ...rules.map(({ keyword }) => keyword)]);
  }
});

describe('a schema that follows references again and again', () => {
  const twice: Schema = {
    type: 'object',
    properties: { n: { $ref: '#' }, leaf: { const: 1 } },
    allOf: [{ properties: { n: { $ref: '#' } } }],
  };
  const levels = (count: number, inner: string) =>
    `${'{"n":'.repeat(count)}${inner}${'}'.repeat(count)}`;

  it('judges bodies that it comes to an end with', () => {
    assert.equal(faultOf(twice, levels(7, '{"leaf":1}')), '');
    assert.equal(faultOf(twice, levels(7, '{"leaf":2}')), `${'/n'.repeat(7)}/leaf const`);
  });

  it('refuses others in bounded time, as a whole and as a part', () => {
    assert.equal(faultOf(twice, levels(60, '{"leaf":1}')), '/ depth');
    const value: unknown = JSON.parse(levels(60, '{"leaf":1}'));
    assert.equal(new Judge(contract(twice), DEPTH_MAX).part('')(value, 400), false);
  });

  it('judges many values with many references', () => {
    const $defs = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`d${i}`, { const: i }]));
    const anyOf = Object.keys($defs).map((name) => ({ $ref: `#/$defs/${name}` }));
    assert.equal(faultOf({ $defs, items: { anyOf } }, `[${'29,'.repeat(50_000)}29]`), '');
  });
});

describe('a pattern that backtracking is slow with', () => {
  const string = (schema: Record<string, unknown>): Schema => ({ type: 'string', ...schema });
  const PATTERNS: readonly [string, string, string][] = [
    ['^(a+)+$', 'a'.repeat(100_000), `${'a'.repeat(100_000)}"`],
    ['^(?:a|a)*$', 'a'.repeat(100_000), `${'a'.repeat(100_000)}\n`],
    ['[a-z]+@[a-z]+', `${'a'.repeat(50_000)}@b`, 'a'.repeat(500_000)],
    ['^\\s*(\\S+\\s*)*$', 'a b "c" \\ é😀 '.repeat(10_000), ''],
  ];
  for (const [pattern, match, other] of PATTERNS) {
    it(`takes linear time: ${pattern}`, () => {
      const latin1 = (text: string) => Buffer.from(JSON.stringify(text)).toString('latin1');
      assert.equal(faultOf(string({ pattern }), latin1(match)), '');
      if (other !== '') assert.equal(faultOf(string({ pattern }), latin1(other)), '/ pattern');
      const named: Schema = { patternProperties: { [pattern]: false } };
      assert.match(faultOf(named, `{${latin1(match)}:1}`), /^\/\S* false$/);
    });
  }

  it('matches texts with lone surrogates as RegExp does, of any length', () => {
    const schema = string({ pattern: '^(.+)+$' });
    assert.equal(faultOf(schema, '"a\\ud800"'), '');
    assert.equal(faultOf(schema, `"${'a'.repeat(100_000)}\\ud800"`), '');
    assert.equal(faultOf(schema, `"${'a'.repeat(100_000)}\\ud800\\n"`), '/ pattern');
  });

  it('takes linear time: the format url', () => {
    const schema = string({ format: 'url' });
    assert.equal(faultOf(schema, `"http://${':'.repeat(500_000)}"`), '/ format');
    assert.equal(faultOf(schema, '"https://example.com/a?b=c"'), '');
    assert.equal(faultOf(schema, '"https://10.0.0.1/"'), '/ format');
  });
});

describe('a part of the schema', () => {
  const schema: Schema = {
    $defs: { positive: { exclusiveMinimum: 0 } },
    properties: { 'a/b %c~é': { items: { $ref: '#/$defs/positive' } }, n: true },
    anyOf: [{ required: ['x'] }, true],
  };
  const judge = new Judge(contract(schema), DEPTH_MAX);

  it('is found by its pointer, and its references by theirs', () => {
    const part = judge.part('/properties/a~1b %c~0é');
    assert.equal(part([1, 2], 5), true);
    assert.equal(part([1, 0], 5), false);
    assert.equal(judge.part('/anyOf/0')({}, 2), false);
    assert.equal(judge.part('/properties/n')({}, 2), true);
    assert.equal(judge.part('')({ 'a/b %c~é': [0] }, 20), false);
  });

  it('that does not exist is an error', () => {
    assert.throws(
      () => judge.part('/properties/none'),
      /the schema has no part \/properties\/none/,
    );
  });
});
