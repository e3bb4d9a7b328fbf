import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseDrain } from '../../src/cli/drain/arguments.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { eventually } from '../support/orders.js';

const ME = `${userInfo().username}@${hostname()}`;

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'forebay-drain-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function portOf({ adminUrl }: ForebayProcess): string[] {
  return ['--admin-port', new URL(adminUrl).port];
}

describe('forebay drain', () => {
  it('shows and sets rate and pause; they are logged, exported, in /readyz, and kept over a restart', async (t) => {
    const data = join(folder(t), 'data');
    const forebay = await startForebay(['--drain-rate', '60'], { owner: t, data });
    const shown = await runForebay(['drain', ...portOf(forebay)]);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^rate {7}60 orders\/s\npaused {5}no\nset by {5}--drain-rate at 20/);
    assert.match(
      shown.stdout,
      new RegExp(`\\ninstances  .*process ${forebay.pid}: 60 orders/s \\(this server\\)\\n$`),
    );
    const set = await runForebay([
      'drain',
      '--rate',
      '200',
      '--pause',
      'a deploy',
      ...portOf(forebay),
    ]);
    assert.equal(set.code, 0, set.stderr);
    assert.match(
      set.stdout,
      new RegExp(`^rate {7}200 orders/s\\npaused {5}a deploy\\nset by {5}${ME} at 20`),
    );
    const metrics = await (await fetch(`${forebay.adminUrl}/metrics`)).text();
    assert.match(metrics, /^forebay_drain_rate 200$/m);
    assert.match(metrics, /^forebay_drain_paused 1$/m);
    const ready = await (await fetch(`${forebay.adminUrl}/readyz`)).text();
    assert.match(ready, /a deploy/);
    await eventually('it is logged', () => /"drain-set".*a deploy/.test(forebay.stderr));
    await forebay.stop();
    const again = await startForebay(['--drain-rate', '60'], { owner: t, data });
    const kept = await runForebay(['drain', '--json', ...portOf(again)]);
    const view = JSON.parse(kept.stdout);
    assert.deepEqual([view.rate, view.pause, view.by], [200, 'a deploy', ME]);
    const resumed = await runForebay(['drain', '--resume', '--rate=0', ...portOf(again)]);
    assert.match(resumed.stdout, /^rate {7}no limit\npaused {5}no\n/);
  });

  it('takes the token from the options of the server, and says which it lacks', async (t) => {
    const file = join(folder(t), 'token');
    writeFileSync(file, 'a-token-of-this-test\n', { mode: 0o600 });
    const port = `${await freePort()}`;
    const flags = ['--admin-token-file', file, '--admin-port', port];
    await startForebay(flags, { owner: t });
    // Found by its port, as a server of this machine.
    const found = await runForebay(['drain', '--rate', '7', '--admin-port', port]);
    assert.equal(found.stderr, '');
    assert.match(found.stdout, /^rate {7}7 orders\/s\n/);
    const other = join(folder(t), 'other');
    writeFileSync(other, 'another-token-of-this-test\n', { mode: 0o600 });
    const wrong = await runForebay(['drain', '--admin-port', port, '--admin-token-file', other]);
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.stderr,
      /^forebay: drain: the server answers 401: [^\n]*--admin-token-file[^\n]*\n$/,
    );
    const none = await runForebay([
      'drain',
      '--admin-port',
      port,
      '--admin-token-file',
      '/no/file',
    ]);
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^forebay: --admin-token-file \/no\/file: there is no such file; fix: [^\n]*\n$/,
    );
  });

  it('fails in one line if there is no server, or another one', async (t) => {
    const strange = createServer((_request, response) => response.end('hello')).listen(
      0,
      '127.0.0.1',
    );
    t.after(() => strange.close());
    await once(strange, 'listening');
    const { port } = strange.address() as AddressInfo;
    for (const [flags, code, line] of [
      [
        ['--admin-port', `${await freePort()}`],
        1,
        /^forebay: no answer on port \d+ of 127\.0\.0\.1: [^\n]*ECONNREFUSED[^\n]*\n$/,
      ],
      [
        ['--admin-port', '0'],
        1,
        /^forebay: --admin-port 0 picks any port[^\n]*give drain the one[^\n]*\n$/,
      ],
      [
        ['--admin-port', `${port}`],
        1,
        /^forebay: drain: the server answers 200: it is no Forebay[^\n]*\n$/,
      ],
      [
        ['--admin-prot', '1'],
        2,
        /^forebay: --admin-prot: unknown option; did you mean --admin-port\?[^\n]*\n$/,
      ],
      [
        ['--rate'],
        2,
        /^forebay: --rate: needs orders per second, or schedule; see forebay drain --help\n$/,
      ],
      [['--rate', '--resume'], 2, /^forebay: --rate: needs/],
      [
        ['--rate', '1.5'],
        2,
        /^forebay: --rate "1\.5": must be a whole number from 0 \(no limit\) to 1000000, or schedule; [^\n]*\n$/,
      ],
      [['--rate', '-5'], 2, /^forebay: --rate "-5": must be/],
      [['--rate', '1000001'], 2, /^forebay: --rate "1000001": must be/],
      [['--rate', '1', '--rate', '2'], 2, /^forebay: --rate: given twice; [^\n]*\n$/],
      [['--pause', ''], 2, /^forebay: --pause: needs a reason[^\n]*\n$/],
      [['--pause'], 2, /^forebay: --pause: needs a reason[^\n]*\n$/],
      [
        ['--pause', 'x', '--resume'],
        2,
        /^forebay: --pause and --resume exclude each other; [^\n]*\n$/,
      ],
    ] as const) {
      const { code: ended, stdout, stderr } = await runForebay(['drain', ...flags]);
      assert.match(stderr, line);
      assert.equal(stdout, '');
      assert.equal(ended, code, `${flags}`);
    }
  });

  it('names the server that has no schedule', async (t) => {
    const forebay = await startForebay([], { owner: t });
    const { code, stderr } = await runForebay(['drain', '--rate', 'schedule', ...portOf(forebay)]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^forebay: drain: the server answers 400: rate "schedule": this server has no --drain-schedule\n$/,
    );
  });

  it('leaves the options of the server to their parser', () => {
    const argv = [
      '--rate=5',
      '--admin-port',
      '9',
      '--pause',
      '-1 of 3 disks',
      '--json',
      '--data=x',
    ];
    assert.deepEqual(parseDrain(argv), {
      rate: 5,
      pause: '-1 of 3 disks',
      json: true,
      rest: ['--admin-port', '9', '--data=x'],
    });
  });
});
