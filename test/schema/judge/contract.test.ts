import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { OperatorFault } from '../../../src/model/fault.js';
import { type Contract, orderContract } from '../../../src/schema/contract.js';
import { loadContract } from '../../../src/schema/load-contract.js';

const folder = mkdtempSync(join(tmpdir(), 'forebay-contract-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'schema.json');

function load(text: string | Uint8Array): Contract {
  writeFileSync(file, text);
  return loadContract(file);
}

/** What the message says after the name of the file. */
function faultOf(text: string | Uint8Array): string {
  try {
    load(text);
  } catch (error) {
    assert.ok(error instanceof OperatorFault);
    assert.equal(error.exitCode, 2);
    assert.ok(!error.message.includes('\n'), error.message);
    const start = `--schema ${file}: `;
    assert.ok(error.message.startsWith(start), error.message);
    return error.message.slice(start.length);
  }
  assert.fail(`accepted ${text}`);
}

const DRAFT_07 = '"$schema":"http://json-schema.org/draft-07/schema#"';

/** Schemas, and what the message begins with. */
const REFUSED: readonly [string, string][] = [
  ['', 'not JSON: the text ends too early at line 1, column 1 (character 0)'],
  ['{"type":', 'not JSON: the text ends too early at line 1, column 9 (character 8)'],
  ['{\n  "type": x }', 'not JSON: unexpected x at line 2, column 11 (character 12)'],
  ['{"type":"object",}', 'not JSON: unexpected } at line 1, column 18'],
  ['\ufeff{}', 'not JSON: unexpected U+FEFF at line 1, column 1'],
  ['{"type":"object","type":"array"}', 'an object has two members of the same name'],
  [`${'{"not":'.repeat(500)}{}${'}'.repeat(500)}`, 'it has more than 400 arrays and objects'],
  ['false', '/: the schema false accepts no body'],
  ['null', '/: it is not an object'],
  ['[]', '/: it is not an object'],
  ['{"type":"objekt"}', '/type: must be one of array, boolean, integer,'],
  ['{"properties":{"a":{"minimum":"3"}}}', '/properties/a/minimum: must be number'],
  ['{"properties":{"a/b":{"multipleOf":0}}}', '/properties/a~1b/multipleOf: must be > 0'],
  ['{"required":["a","a"]}', '/required: must NOT have duplicate items'],
  ['{"items":[{}]}', '/items: must be object,boolean'],
  [
    '{"properties":{"a":{"minimun":3}}}',
    '/properties/a/minimun: unknown keyword; fix: did you mean minimum?',
  ],
  ['{"$defs":{"unused":{"color":"red"}}}', '/$defs/unused/color: unknown keyword; fix: remove it'],
  ['{"$async":true}', '/$async: unknown keyword'],
  ['{"id":"order"}', '/id: unknown keyword; fix: did you mean $id?'],
  [`{${DRAFT_07},"prefixItems":[{}]}`, '/prefixItems: unknown keyword'],
  [`{${DRAFT_07},"dependencies":{"a":["b"],"c":{"x":1}}}`, '/dependencies/c/x: unknown keyword'],
  ['{"properties":{"a":{"format":"iri"}}}', '/properties/a/format: unknown format "iri"'],
  ['{"items":{"pattern":"("}}', '/items/pattern: Invalid regular expression'],
  ['{"patternProperties":{"a/(":{}}}', '/patternProperties/a~1(: Invalid regular expression'],
  ['{"$ref":"#/$defs/x"}', '/$ref: cannot resolve the reference "#/$defs/x"'],
  ['{"items":{"$ref":"other.json"}}', '/items/$ref: cannot resolve the reference "other.json"'],
  ['{"items":{"$ref":"#there"}}', '/items/$ref: cannot resolve the reference "#there"'],
  ['{"items":{"$dynamicRef":"#a"}}', '/items/$dynamicRef: cannot resolve the reference "#a"'],
  ['{"$ref":"#"}', '/$ref: the reference leads back to itself'],
  [
    '{"properties":{"a":{"$ref":"#/properties/a"}}}',
    '/properties/a/$ref: the reference leads back to itself',
  ],
  [
    '{"$defs":{"a":{"allOf":[{"$ref":"#b"}]},"b":{"$anchor":"b","not":{"$ref":"#/$defs/a"}}}}',
    '/$defs/a/allOf/0/$ref: the reference leads back',
  ],
  [
    '{"$schema":"http://json-schema.org/draft-04/schema#"}',
    '/$schema: "http://json-schema.org/draft-04/schema#" is not supported',
  ],
  ['{"properties":{"\\ud800":{"type":"string"}}}', '/: a name in it has half a surrogate pair'],
  ['{"$schema":3}', '/$schema: 3 is not supported'],
];

describe('a file of --schema', () => {
  for (const [text, fault] of REFUSED) {
    it(`is refused: ${text.length > 90 ? `${text.slice(0, 90)}…` : text}`, () => {
      const message = faultOf(text);
      assert.ok(message.startsWith(fault), message);
      assert.match(message, /; fix: \S/);
    });
  }

  it('that is not UTF-8 is refused', () => {
    assert.match(faultOf(Buffer.from('{"title":"\xff"}', 'latin1')), /^it is not UTF-8; fix: /);
  });

  it('that does not exist, or is a folder, is refused', () => {
    const missing = join(folder, 'missing.json');
    const message = `--schema ${missing}: there is no such file; fix: name a file with a JSON Schema, or true for any JSON object`;
    assert.throws(() => loadContract(missing), { message, exitCode: 2 });
    assert.throws(() => loadContract(folder), /: it is a folder; fix: name a file/);
  });

  it('may use each draft, with and without #', () => {
    assert.equal(load('{}').dialect, '2020-12');
    assert.equal(
      load('{"$schema":"https://json-schema.org/draft/2020-12/schema"}').dialect,
      '2020-12',
    );
    assert.equal(load(`{${DRAFT_07},"items":[{}]}`).dialect, 'draft-07');
    assert.equal(load('{"$schema":"http://json-schema.org/draft-07/schema"}').dialect, 'draft-07');
  });

  it('may have patterns that backtracking is slow with, if they have an automaton', () => {
    for (const pattern of ['^(a+)+$', '[a-z]+@[a-z]+', '^(?=.*\\d).{8,64}$']) {
      load(JSON.stringify({ properties: { a: { pattern } } }));
    }
  });

  it('may have slow patterns if they are allowed', () => {
    const message = faultOf(JSON.stringify({ properties: { 'a/b': { pattern: '^(\\w+)\\1$' } } }));
    const start =
      '/properties/a~1b/pattern: the pattern "^(\\\\w+)\\\\1$" can (polynomial time) hang on a text of a client, and has no table: back references';
    assert.ok(message.startsWith(start), message);
    assert.match(message, /; fix: .*--allow-slow-patterns on$/);
    assert.equal(loadContract(file, true).source, file);
    const named = { patternProperties: { '^(?:(a)\\1+)+$': true } };
    assert.match(faultOf(JSON.stringify(named)), /^\/patternProperties\/\^/);
  });

  it('may list values with members that every object of JavaScript has', () => {
    for (const name of ['toString', 'valueOf', 'constructor', '__proto__', 'hasOwnProperty']) {
      const values = `[{"${name}":1},{"${name}":2}]`;
      load(`{${DRAFT_07},"enum":${values},"const":{"${name}":1},"default":${values}}`);
      load(`{"enum":${values},"const":{"${name}":1},"examples":${values}}`);
      const repeated = `{${DRAFT_07},"enum":[{"${name}":1},{"${name}":1}]}`;
      assert.match(faultOf(repeated), /^\/enum: must NOT have duplicate items/);
    }
  });

  it('may refer to itself inside of a value', () => {
    const { schema } = load('{"type":"object","properties":{"next":{"$ref":"#"}}}');
    assert.equal(typeof schema, 'object');
  });

  it('may have 10,000 members, 1,000 enum values and 100 levels', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`member${i}`, { type: 'string', maxLength: i }]),
    );
    load(JSON.stringify({ type: 'object', properties, additionalProperties: false }));
    load(JSON.stringify({ enum: Array.from({ length: 1000 }, (_, i) => `value ${i}`) }));
    load(`${'{"properties":{"a":'.repeat(100)}{}${'}}'.repeat(100)}`);
  });
});

describe('a contract', () => {
  it('is any JSON object for true, as an option and as a file', () => {
    for (const contract of [loadContract('true'), load('true')]) {
      assert.deepEqual(contract.schema, { type: 'object' });
    }
  });

  it('is the built-in order without an option', () => {
    assert.equal(loadContract(''), orderContract);
  });

  it('has a digest that depends on the schema alone', () => {
    const { digest } = load('{"type":"object","required":["a"],"maxProperties":3}');
    assert.match(digest, /^[0-9a-f]{16}$/);
    assert.equal(
      load('{ "maxProperties": 3.0,\n"required": ["a"], "type": "object" }').digest,
      digest,
    );
    assert.notEqual(load('{"type":"object","required":["b"],"maxProperties":3}').digest, digest);
    const asDraft07 = load(`{${DRAFT_07},"type":"object","required":["a"],"maxProperties":3}`);
    assert.notEqual(asDraft07.digest, digest);
  });

  it('can be sent to a thread', () => {
    assert.deepEqual(structuredClone(orderContract), orderContract);
  });
});
