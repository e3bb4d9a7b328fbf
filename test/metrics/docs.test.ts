import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { metricsDoc } from '../../src/metrics/docs.js';

const root = join(import.meta.dirname, '..', '..', '..');

test('docs/metrics.md is what the catalogue generates', () => {
  const committed = readFileSync(join(root, 'docs', 'metrics.md'), 'utf8');
  assert.equal(committed, metricsDoc(), 'run node scripts/options-doc.mjs');
});
