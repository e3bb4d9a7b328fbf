import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { counterFamilies, gaugeFamilies, liveFamilies } from '../../src/metrics/names.js';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'monitoring');

function promtool(...args: readonly string[]): string {
  const program = process.env.FOREBAY_PROMTOOL || 'promtool';
  const run = spawnSync(program, args, { cwd: FOLDER, encoding: 'utf8' });
  if (run.error !== undefined) {
    const remedy = 'install the package prometheus, or set FOREBAY_PROMTOOL to its path';
    throw new Error(`${program}: ${run.error.message}; ${remedy}`);
  }
  assert.equal(run.status, 0, run.stdout + run.stderr);
  return run.stdout + run.stderr;
}

describe('monitoring/alerts.yml', () => {
  it('is loaded by prometheus.yml', () => {
    assert.match(promtool('check', 'config', 'prometheus.yml'), /1 rule files? found/);
  });

  it('fires when it should, and only then', () => {
    promtool('test', 'rules', 'alerts.test.yml');
  });

  it('speaks of metrics that there are', () => {
    const text = readFileSync(join(FOLDER, 'alerts.yml'), 'utf8');
    const known = [...counterFamilies, ...gaugeFamilies, ...Object.values(liveFamilies)].map(
      ({ name }) => name as string,
    );
    const named = Array.from(text.matchAll(/\bforebay_\w+/g), ([name]) => name);
    assert.ok(named.includes('forebay_dead_letters'));
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    );
  });
});
