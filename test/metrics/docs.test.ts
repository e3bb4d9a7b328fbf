import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COUNTER, GAUGE, HISTOGRAM } from '../../src/metrics/count.js';
import { metricsDoc } from '../../src/metrics/docs.js';

const root = join(import.meta.dirname, '..', '..', '..');

test('docs/reference/metrics.md is up to date', () => {
  const committed = readFileSync(join(root, 'docs', 'reference', 'metrics.md'), 'utf8');
  assert.equal(committed, metricsDoc(), 'run npm run docs');
});

test('every series of the catalogue is counted somewhere in the code', () => {
  const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    // The catalogue and its readers do not count.
    .filter((file) => file !== join('metrics', 'live-snapshots.ts'))
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
    .join('\n');
  // Used through responseCounter and commitHistogram.
  const byFunction = /^(?:responses\d|commitSeconds_)/;
  const uncounted = Object.entries({ COUNTER, GAUGE, HISTOGRAM }).flatMap(([kind, keys]) =>
    Object.keys(keys)
      .filter((key) => !byFunction.test(key))
      .map((key) => `${kind}.${key}`)
      .filter((name) => !new RegExp(`\\b${name.replace('.', '\\.')}\\b`).test(source)),
  );
  assert.deepEqual(uncounted, []);
});
