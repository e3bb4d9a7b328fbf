import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { runForebay, startForebay } from '../../support/forebay.js';

/** A steady load above the limits, long enough to see 5%. */
const LOAD = ['--rate-min', '100', '--rate-max', '100', '--period-s', '7', '--periods', '1'];
const ATTEMPTS_MAX = 4;
const QUEUE = ['--drain-rate', '60'];
const DIRECT = ['--mode', 'direct', '--rps-limit', '50'];

/** The checks that fail when `forebay wave` judges a server with these flags by those. */
async function failures(
  t: TestContext,
  serverFlags: readonly string[],
  waveFlags: readonly string[],
): Promise<string[]> {
  const server = await startForebay([...serverFlags], { owner: t });
  const urls = ['--url', server.url, '--admin-url', server.adminUrl];
  const { code, stdout } = await runForebay(['wave', ...LOAD, ...waveFlags, ...urls]);
  t.diagnostic(stdout);
  const failed = Array.from(stdout.matchAll(/^FAIL ([^:]*):/gm), ([, name]) => name!);
  assert.equal(code, failed.length === 0 ? 0 : 1);
  return failed;
}

describe('forebay wave against a real server', () => {
  it('fails a server that admits 5% too many requests', async (t) => {
    const failed = await failures(t, ['--mode', 'direct', '--rps-limit', '53'], DIRECT);
    assert.deepEqual(failed, ['peak admission rate']);
  });

  it('fails a server that drains 5% too fast', async (t) => {
    // A machine with too little time holds the server back: then it is not too fast.
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const failed = await failures(t, ['--drain-rate', '63'], QUEUE);
      if (failed.length === 0) continue;
      assert.deepEqual(failed, ['peak processing rate']);
      return;
    }
    assert.fail(`not once in ${ATTEMPTS_MAX} attempts`);
  });

  it('passes a right server beside two busy loops, in both modes', async (t) => {
    for (let i = 0; i < 2; i++) {
      const loop = spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' });
      t.after(() => loop.kill('SIGKILL'));
    }
    const [drain, admission] = await Promise.all([
      failures(t, QUEUE, QUEUE),
      failures(t, ['--mode', 'direct', '--rps-limit', '50'], DIRECT),
    ]);
    assert.deepEqual(drain, []);
    assert.deepEqual(admission, []);
  });
});
