import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { runForebay } from '../support/forebay.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

const folder = mkdtempSync(join(tmpdir(), 'forebay-types-'));
after(() => rmSync(folder, { recursive: true }));

async function typesOf(schema: unknown): Promise<string> {
  const file = join(folder, 'schema.json');
  writeFileSync(file, JSON.stringify(schema));
  const { code, stdout, stderr } = await runForebay(['types', '--schema', file]);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return stdout;
}

const SHOP = {
  title: 'An order of a shop',
  type: 'object',
  required: ['id', 'items'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', pattern: '^ord_' },
    state: { enum: ['new', 'paid', null] },
    items: { type: 'array', items: { $ref: '#/$defs/item' } },
    place: {
      type: 'array',
      prefixItems: [{ type: 'number' }, { type: 'number' }],
      items: false,
      minItems: 2,
    },
    payment: {
      oneOf: [
        {
          type: 'object',
          required: ['kind'],
          properties: { kind: { const: 'card' }, last4: { type: 'string' } },
        },
        { type: 'object', required: ['kind'], properties: { kind: { const: 'cash' } } },
      ],
    },
    tree: { $ref: '#/$defs/tree' },
    closed: { type: 'object', properties: { a: { type: 'null' } }, unevaluatedProperties: false },
  },
  $defs: {
    item: {
      type: 'object',
      required: ['qty'],
      properties: { qty: { type: 'integer', minimum: 1 } },
      additionalProperties: false,
    },
    tree: {
      type: 'object',
      properties: { kids: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    },
  },
};

/** A handler that uses the types: each line must compile, but those that expect an error. */
const USE = `import type { OrderData } from './order.js';
export const order: OrderData = {
  id: 'ord_1',
  state: null,
  items: [{ qty: 1 }],
  place: [1, 2],
  payment: { kind: 'card', last4: '4242' },
  tree: { kids: [{ kids: [] }] },
  closed: { a: null },
};
// @ts-expect-error: no member of this name
order.closed!.b;
// @ts-expect-error: the wrong type
order.items[0]!.qty = 'one';
// @ts-expect-error: not one of the values
order.state = 'lost';
`;

describe('forebay types', () => {
  it('writes types of a schema of 2020-12 that handlers can use', async () => {
    writeFileSync(join(folder, 'order.ts'), await typesOf(SHOP));
    writeFileSync(join(folder, 'use.ts'), USE);
    const flags = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext'];
    await promisify(execFile)(process.execPath, [TSC, ...flags, join(folder, 'use.ts')]);
  });

  it('writes the types of the built-in order, of any object, and of draft-07', async () => {
    const builtIn = (await runForebay(['types'])).stdout;
    assert.match(
      builtIn,
      /export interface OrderData \{\n {2}product_id: string;\n {2}count: string;\n {2}username: string;\n\}/,
    );
    const any = (await runForebay(['types', '--schema', 'true'])).stdout;
    assert.match(any, /export interface OrderData \{\n {2}\[k: string\]: unknown;\n\}/);
    const $schema = 'http://json-schema.org/draft-07/schema#';
    const pair = {
      type: 'array',
      items: [{ type: 'string' }],
      additionalItems: false,
      minItems: 1,
    };
    assert.match(
      await typesOf({ $schema, type: 'object', properties: { pair } }),
      /pair\?: \[string\]/,
    );
  });

  it('writes to a file', async () => {
    const out = join(folder, 'out.ts');
    const { code, stdout, stderr } = await runForebay(['types', '--out', out]);
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
    assert.match(readFileSync(out, 'utf8'), /export interface OrderData/);
  });

  it('tells what is wrong in one line', async () => {
    const missing = await runForebay(['types', '--schema', join(folder, 'none.json')]);
    assert.equal(missing.code, 2);
    assert.match(
      missing.stderr,
      /^forebay: --schema .*none\.json: there is no such file; fix: [^\n]+\n$/,
    );
    const unknown = await runForebay(['types', '--schem', 'x']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /^forebay: [^\n]*--schem[^\n]*; see forebay types --help\n$/);
    const noFolder = await runForebay(['types', '--out', join(folder, 'no', 'out.ts')]);
    assert.equal(noFolder.code, 1);
    assert.match(noFolder.stderr, /^forebay: --out [^\n]*ENOENT[^\n]*; fix: [^\n]+\n$/);
  });
});
