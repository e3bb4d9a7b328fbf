import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadContract } from '../../../src/schema/load-contract.js';
import { openValidator } from '../../../src/schema/validator.js';

const folder = mkdtempSync(join(tmpdir(), 'forebay-slow-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function load(schema: object) {
  const file = join(folder, `${files++}.json`);
  writeFileSync(file, JSON.stringify(schema));
  return loadContract(file);
}

function verdictOf(schema: object, body: unknown): string {
  const validator = openValidator(load(schema));
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return validator.validate(bytes, 0, bytes.length) ? 'valid' : validator.fault;
}

const LONG = 'a'.repeat(20_000);

describe('a pattern on which a backtracking engine would not end', () => {
  // Each ending makes the text invalid, and some keep it from the scanner.
  for (const ending of ['!', '"', '\\', '\u0001', '\ud800', '\u{50000}', 'é']) {
    it(`is decided in linear time, also with ${JSON.stringify(ending)}`, () => {
      const text = LONG + ending;
      for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(?:a|aa)+$', '^(\\p{Ll}+)+ $']) {
        const schema = { type: 'object', properties: { a: { type: 'string', pattern } } };
        assert.equal(verdictOf(schema, { a: text }), '/a pattern', pattern);
        const names = { type: 'object', propertyNames: { pattern } };
        assert.match(verdictOf(names, { [text]: 1 }), /^\/ (?:propertyNames|pattern)$/, pattern);
        const named = { type: 'object', patternProperties: { [pattern]: false } };
        assert.equal(verdictOf(named, { [text]: 1 }), 'valid', pattern);
      }
    });
  }

  it('is decided in linear time in the parts that ajv checks', () => {
    const part = { not: { type: 'string', pattern: '^(a+)+$' } };
    const schema = { type: 'object', properties: { a: part } };
    assert.equal(verdictOf(schema, { a: `${LONG}!` }), 'valid');
    assert.equal(verdictOf(schema, { a: LONG }), '/a not');
  });

  it('is decided in linear time in the formats', () => {
    const schema = { type: 'object', properties: { a: { type: 'string', format: 'url' } } };
    assert.equal(verdictOf(schema, { a: `http://${':'.repeat(500_000)}` }), '/a format');
    assert.equal(verdictOf(schema, { a: 'https://ü.example.com/x?y#z' }), 'valid');
  });
});
