import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT, OperatorFault } from '../../../src/model/fault.js';
import { Scanner } from '../../../src/schema/compile/scanner.js';
import type { Schema } from '../../../src/schema/judge/subschemas.js';
import { BODY_DEPTH_MAX, CompiledSchema } from './compiled-schema.js';

const objectOf = (names: readonly string[], value: (index: number) => unknown) =>
  Object.fromEntries(names.map((name, index) => [name, value(index)]));

const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `member_${index}`);

/** A scanner alone: ajv takes seconds for schemas of this size. */
function scannerOf(schema: Schema): (body: unknown) => boolean {
  const part = () => assert.fail('nothing is left to ajv');
  const scanner = new Scanner({ schema, bodyDepthMax: BODY_DEPTH_MAX, part });
  assert.deepEqual(scanner.leftovers, []);
  return (body) => {
    const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
    return scanner.scan(bytes, 0, bytes.length);
  };
}

describe('a large schema', () => {
  it('can have 10,000 members', () => {
    const names = namesOf(10_000);
    const scan = scannerOf({
      type: 'object',
      properties: objectOf(names, (i) =>
        i % 2 === 0 ? { type: 'integer', minimum: i } : { maxLength: 9 },
      ),
      required: names,
      additionalProperties: false,
    });
    const body: Record<string, unknown> = objectOf(names, (i) => (i % 2 === 0 ? i : `v${i}`));
    assert.ok(scan(body));
    assert.ok(!scan({ ...body, member_9998: 9997 }));
    assert.ok(!scan({ ...body, more: 1 }));
    assert.ok(!scan(`${JSON.stringify(body).slice(0, -1)},"member_1":""}`));
    delete body.member_5000;
    assert.ok(!scan(body));
  });

  it('has each member once, and each that is required, with more than a number has bits', () => {
    const names = namesOf(70);
    const required = names.slice(0, 40);
    const scan = scannerOf({
      type: 'object',
      properties: objectOf(names, () => ({ type: 'integer' })),
      required,
    });
    const bodyOf = (all: readonly string[]) => `{${all.map((name) => `"${name}":1`).join()}}`;
    assert.ok(scan(bodyOf(names)));
    for (const name of names) {
      assert.ok(!scan(bodyOf([...names, name])), `${name} twice`);
      const others = required.filter((one) => one !== name);
      assert.equal(scan(bodyOf(others)), !required.includes(name), `without ${name}`);
      // The number of members is right.
      assert.ok(!scan(bodyOf([...others, others[0]!])), `${others[0]} instead of ${name}`);
    }
  });

  it('can have 1,000 values of an enum, of each type', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? `value-${i}` : i));
    const scan = scannerOf({ type: 'array', items: { enum: values } });
    assert.ok(scan(values));
    for (const other of ['value-1', 'value-1000', 2, -1, null]) assert.ok(!scan([other]));
  });

  it('can have 100 levels; a deeper body than the bound is left to the judge', () => {
    let schema: Schema = { type: 'integer' };
    for (let level = 0; level < 100; level++) {
      schema = { type: 'object', properties: { a: schema, b: { type: 'string' } } };
    }
    const compiled = new CompiledSchema(schema);
    assert.deepEqual(compiled.leftTo, []);
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}{}${'}'.repeat(levels)}`;
    assert.ok(compiled.scan(nested(BODY_DEPTH_MAX - 1)));
    assert.ok(!compiled.scan(nested(BODY_DEPTH_MAX)));
  });

  it('can refer to one part from many places: its code is made once', () => {
    const $defs: Record<string, Schema> = { d0: { type: 'integer' } };
    for (let i = 1; i <= 40; i++) {
      const $ref = `#/$defs/d${i - 1}`;
      $defs[`d${i}`] = { type: 'object', properties: { a: { $ref }, b: { $ref }, c: { $ref } } };
    }
    const scan = scannerOf({ $ref: '#/$defs/d40', $defs });
    assert.ok(scan('{"a":{"b":{"c":{}}},"b":{},"c":{"a":{}}}'));
    assert.ok(!scan('{"a":{"b":{"c":1}}}'));
  });

  it('is refused in one line if its code were too large', () => {
    const properties = objectOf(namesOf(60_000), (i) => ({
      type: 'object',
      properties: { a: { type: 'integer', minimum: i } },
    }));
    assert.throws(
      () => scannerOf({ type: 'object', properties }),
      (error: Error) =>
        error instanceof OperatorFault &&
        error.exitCode === EXIT.usage &&
        /^--schema: too large, .*; fix: [^\n]*$/.test(error.message),
    );
  });

  it('has tables within 16 MiB; further patterns are left to ajv', () => {
    const properties = objectOf(namesOf(450), (i) => ({ pattern: `^\\p{L}{${i}}$` }));
    const scanner = new Scanner({
      schema: { type: 'object', properties },
      bodyDepthMax: BODY_DEPTH_MAX,
      part: () => () => true,
    });
    assert.ok(scanner.leftovers.length > 0);
    assert.ok(scanner.leftovers.length < 450);
  });

  it('cannot make the scanner read a value again and again at each level', () => {
    const $defs: Record<string, Schema> = { d0: { type: 'object' } };
    for (let i = 1; i <= 40; i++) {
      const $ref = `#/$defs/d${i - 1}`;
      const twice = [{ properties: { a: { $ref } } }, { properties: { a: { $ref }, b: true } }];
      $defs[`d${i}`] = i % 2 === 0 ? { allOf: twice } : { anyOf: twice };
    }
    const compiled = new CompiledSchema({ type: 'object', $ref: '#/$defs/d40', $defs });
    assert.ok(compiled.leftTo.length > 0);
  });
});

describe('a large body', () => {
  it('of 1 MiB is read without recursion, whatever it has', () => {
    const scan = scannerOf({ type: 'object' });
    const many = objectOf(namesOf(50_000), (i) => i);
    assert.ok(scan(many));
    assert.ok(!scan(`${JSON.stringify(many).slice(0, -1)},"member_49999":1}`));
    assert.ok(scan(`{"a":[${'1,'.repeat(500_000)}2]}`));
    assert.ok(scan(`{"a":"${'é\\n'.repeat(250_000)}"}`));
    assert.ok(scan(`{"a":${' '.repeat(1_000_000)}1}`));
    assert.ok(scan(`{"a":1.${'0'.repeat(1_000_000)}}`));
    assert.ok(!scan('['.repeat(1_000_000)));
    assert.ok(!scan('{"a":'.repeat(200_000)));
    assert.ok(!scan(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`));
  });

  it('with a number of a million digits is read once', () => {
    const scan = scannerOf({ type: 'object', properties: { a: { type: 'number', maximum: 5 } } });
    assert.ok(scan(`{"a":1.${'0'.repeat(1_000_000)}}`));
    assert.ok(!scan(`{"a":${'9'.repeat(1_000_000)}}`));
  });
});

describe('names and patterns of a schema', () => {
  it('never become code', () => {
    const marks: unknown[] = [];
    Object.assign(globalThis, { marks });
    const evil = [
      '"];marks.push(1);//',
      '`;marks.push(2);`',
      "';marks.push(3);'",
      '*/marks.push(4)/*',
      '\u2028marks.push(5)\u2029',
      '\nmarks.push(6)\n',
      ['$', '{marks.push(7)}'].join(''),
      '</script>',
    ];
    for (const text of evil) {
      const compiled = new CompiledSchema({
        type: 'object',
        properties: {
          [text]: { const: text },
          b: { enum: [text, 1, { [text]: text }] },
          c: { pattern: text.replace(/[[\](){}*+?.\\/^$|]/g, '\\$&') },
          d: {
            oneOf: [1, 2].map((n) => ({
              type: 'object',
              required: [text],
              properties: { [text]: { const: n } },
            })),
          },
        },
        patternProperties: { [text.replace(/[[\](){}*+?.\\/^$|]/g, '\\$&')]: true },
        required: [text],
        description: text,
      });
      const body = JSON.stringify({ [text]: text, b: { [text]: text }, c: text, d: { [text]: 2 } });
      assert.ok(compiled.judge(body));
      // Whether it asks depends on the characters that JSON escapes.
      compiled.scan(body);
    }
    assert.deepEqual(marks, []);
  });
});
