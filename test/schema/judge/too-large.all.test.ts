import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadContract } from '../../../src/schema/load-contract.js';

it('a schema with more than ajv can compile is refused', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-schema-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'schema.json');
  const properties = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [`member${i}`, { pattern: `^${i}$` }]),
  );
  writeFileSync(file, JSON.stringify({ properties }));
  assert.throws(() => loadContract(file), { message: /: \/: ajv .*; fix: make it smaller$/ });
});
