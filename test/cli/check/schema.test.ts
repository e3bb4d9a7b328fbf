import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { schemaFindings } from '../../../src/cli/check/schema.js';
import { runCheck } from './run-check.js';

const folder = mkdtempSync(join(tmpdir(), 'forebay-check-schema-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'schema.json');
const body = join(folder, 'body.json');

function findings(schema: unknown, example?: string) {
  writeFileSync(file, JSON.stringify(schema));
  if (example !== undefined) writeFileSync(body, example);
  const options = {
    path: '/orders',
    schema: file,
    bodyDepthMax: 64,
    bodyBytesMax: 4096,
    allowSlowPatterns: false,
  };
  return schemaFindings(options, example === undefined ? '' : body);
}

const SCHEMA = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string', pattern: '^ord_', examples: ['ord_1'] },
    'a/b': { not: { type: 'string' } },
    when: { type: 'string', format: 'date-time' },
    items: { type: 'array', minItems: 2, items: { $ref: '#/$defs/item' } },
  },
  $defs: { item: { type: 'object', properties: { qty: { type: 'integer', minimum: 3 } } } },
};

describe('forebay check --schema', () => {
  it('says of each keyword who checks it, and why', () => {
    const all = findings(SCHEMA);
    const keywords = all.filter(({ about }) => about === 'keyword');
    const ofAjv = keywords.filter(({ facts }) => facts.compiled === false);
    assert.deepEqual(
      ofAjv.map(({ facts }) => facts.pointer),
      ['/properties/a~1b/not', '/properties/a~1b/not/type'],
    );
    assert.match(
      ofAjv[0]!.text,
      /^\/properties\/a~1b\/not ajv \(not at \/properties\/a~1b: \S.*\)$/,
    );
    const compiled = keywords
      .filter(({ facts }) => facts.compiled === true)
      .map(({ text }) => text);
    assert.ok(compiled.includes('/properties/id/pattern compiled'));
    assert.ok(compiled.includes('/$defs/item/properties/qty/minimum compiled'));
    assert.equal(compiled.length, 15);
    const summary = all.find(({ about }) => about === 'keywords')!;
    assert.equal(summary.text, '15 keywords compiled to the scanner, 2 left to ajv');
  });

  it('measures a body that it makes from the schema', () => {
    const { verdict, text, facts } = findings(SCHEMA).find(({ about }) => about === 'example')!;
    assert.equal(verdict, 'ok');
    assert.match(
      text,
      /^an example from the schema \(\d+ bytes\) is validated in \d+ ns; JSON\.parse and ajv take \d+ ns/,
    );
    const made = { id: 'ord_1', when: '2026-01-31T12:00:00Z', items: [{ qty: 3 }, { qty: 3 }] };
    assert.equal(facts.bytes, JSON.stringify(made).length);
  });

  it('measures the body of --example, and says why it is refused', () => {
    const given = findings(SCHEMA, '{"id": "ord_2"}').find(({ about }) => about === 'example')!;
    assert.equal(given.facts.bytes, 15);
    const refused = findings(SCHEMA, '{"id": 2}').find(({ about }) => about === 'example')!;
    assert.deepEqual([refused.verdict, refused.exitCode], ['fail', 2]);
    assert.equal(refused.text, `${body} is refused: /id type`);
  });

  it('lists a bounded number of keywords', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`m${i}`, { type: 'string' }]),
    );
    const all = findings({ type: 'object', properties });
    assert.equal(all.filter(({ about }) => about === 'keyword').length, 200);
    const summary = all.find(({ about }) => about === 'keywords')!;
    assert.equal(
      summary.text,
      '302 keywords compiled to the scanner, 0 left to ajv; 102 more are not listed',
    );
  });

  it('says so if no example can be made', () => {
    const all = findings({
      type: 'object',
      required: ['a'],
      properties: { a: { pattern: '^[^\\d\\D]$', type: 'string' } },
    });
    assert.match(
      all.find(({ about }) => about === 'example')!.text,
      /^no example body.*--example FILE/,
    );
  });

  it('is part of the report, with the exit code of a wrong schema', async () => {
    writeFileSync(file, '{"type":"object","properties":{"a":{"minimun":3}}}');
    const { code, about } = await runCheck('--schema', file);
    assert.equal(code, 2);
    const { verdict, text, fix } = about('schema');
    assert.deepEqual([verdict, fix], ['fail', 'did you mean minimum?']);
    assert.equal(text, `--schema ${file}: /properties/a/minimun: unknown keyword`);
  });

  it('takes --example with and without =', async () => {
    writeFileSync(body, '{"product_id":"1","count":"1","username":"max"}');
    for (const flags of [['--example', body], [`--example=${body}`]]) {
      assert.match(
        (await runCheck(...flags)).about('example').text,
        /body\.json \(47 bytes\) is validated/,
      );
    }
  });
});
