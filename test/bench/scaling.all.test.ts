import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const MAIN = fileURLToPath(new URL('../../bench/scaling.js', import.meta.url));

describe('npm run bench:scaling -- --check', () => {
  it('says for each part what was predicted, what was measured, and whether that holds', async () => {
    const args = [MAIN, '--check', '--only', 'flushes', '--rounds', '1'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const rows = stdout.trim().split('\n').slice(2);
    assert.equal(rows.length, 2);
    for (const row of rows)
      assert.match(row, /\| [\d.,]+ \| [\d.,]+ \| .* to .* \| (holds|\*\*fails\*\*) \|$/);
  });
});
