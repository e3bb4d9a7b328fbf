import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startForebay } from '../support/forebay.js';
import { metric } from '../support/orders.js';

const SCRIPTS = new URL('../../../scripts/', import.meta.url);
const script = (name: string) => import(new URL(name, SCRIPTS).href);

it('the load of a profile counts the responses of the server', async (t) => {
  const { load } = await script('profile/load.mjs');
  const forebay = await startForebay(['--threads', '0', '--drain', 'off'], { owner: t });
  const { answers, created } = await load(forebay.url, 0.5, 8);
  assert.ok(answers >= 8);
  assert.equal(created, answers);
  assert.equal(await metric(forebay, 'forebay_orders_accepted_total'), answers);
  assert.equal(await forebay.stop(), 0);
});

it('the summary of a flame graph has shares of the busy time, without idle time and the profiler', async (t) => {
  const { readFlame } = await script('profile/read-flame.mjs');
  const folder = await mkdtemp(join(tmpdir(), 'forebay-flame-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const code = [
    { type: 'CPP', name: '__send@@GLIBC_2.2.5' },
    { type: 'JS', name: 'accepted file:///a/dist/src/intake/request-slot.js:1:2' },
    { type: 'JS', name: 'startWriting file:///a/node_modules/lmdb/write.js:3:4' },
    { type: 'CPP', name: '__write@@GLIBC_2.2.5' },
    { type: 'CPP', name: 'epoll_pwait@@GLIBC_2.6' },
  ];
  const tick = (vm: number, ...at: number[]) => ({ vm, s: at.flatMap((index) => [index, 0]) });
  const ticks = [
    ...[tick(0, 0, 1), tick(0, 0, 1), tick(0, 1), tick(0, 2)],
    ...[tick(8, 4), tick(4, 3), tick(0, 4)],
  ];
  await writeFile(join(folder, 'isolate-v8.log.json'), JSON.stringify({ ticks, code }));
  const text = readFlame(folder);
  assert.match(text, /^7 ticks: 2 idle, 1 of the profiler itself, 4 busy/);
  assert.match(text, /50\.0% {2}send\(\)\n {3}50\.0% {2}compiled JavaScript\n/);
  assert.match(
    text,
    /75\.0% {2}accepted src\/intake\/request-slot\.js\n {3}25\.0% {2}startWriting lmdb\/write\.js\n/,
  );
});

it('the profile script has help', () => {
  const profile = fileURLToPath(new URL('profile.mjs', SCRIPTS));
  const { status, stdout } = spawnSync(process.execPath, [profile, 'flame', '--help'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.match(stdout, /--seconds .*default 10/);
});

it('the profile script refuses wrong arguments in one line', () => {
  const profile = fileURLToPath(new URL('profile.mjs', SCRIPTS));
  for (const [args, text] of [
    [[], /the first argument must be flame or doctor/],
    [['flame', '--seconds', '0'], /--seconds 0: must be from 1 to 60/],
    [['flame', '--connections', 'many'], /--connections many: must be from 1 to 4096/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [profile, ...args], {
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, text);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});
