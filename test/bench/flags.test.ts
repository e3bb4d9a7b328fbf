import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const BENCHES: Readonly<Record<string, string>> = {
  'durability.js': '--rounds',
  'live-page.js': '--viewers',
  'drain.js': '--orders',
  'guard.js': '--slow',
  'postgres.js': '--workers',
  'scaling.js': '--instructions',
  'batch.js': '--batch-connections',
  'idempotency.js': '--connections',
  'open-model/rates.js': '--rates',
  'open-model/overload.js': '--timeout-ms',
};

function run(bench: string, ...args: string[]) {
  const file = fileURLToPath(new URL(`../../bench/${bench}`, import.meta.url));
  return spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
}

describe('the benchmarks', () => {
  for (const [bench, flag] of Object.entries(BENCHES)) {
    it(`${bench} --help lists the options and measures nothing`, () => {
      const asked = run(bench, '--help');
      assert.equal(asked.status, 0);
      assert.ok(asked.stdout.includes(`  ${flag}`));
    });
  }

  it('refuse unknown options in one line', () => {
    const { status, stderr } = run('drain.js', '--bogus');
    assert.equal(status, 2);
    assert.match(stderr, /^Unknown option '--bogus'; options: --orders, [^\n]*\n$/);
  });
});
