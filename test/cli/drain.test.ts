import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseDrain } from '../../src/cli/drain/arguments.js';
import type { DrainView } from '../../src/model/drain-view.js';
import { withDeadline } from '../support/deadline.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { NatsServer } from '../support/nats.js';
import { eventually } from '../support/orders.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
/** Processes of a test alone; the kernel gives a namespace only to root. */
const NAMESPACE = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const CAN_UNSHARE = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;
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

  it('changes all servers of a stream from any of them, and says in one line that NATS is away', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const flags = ['--nats', nats.url, '--drain-rate', '60'];
    const servers = await Promise.all(
      Array.from({ length: 3 }, () => startForebay(flags, { owner: t })),
    );
    const viewsOf = () =>
      Promise.all(
        servers.map(
          async ({ adminUrl }) => (await (await fetch(`${adminUrl}/drain`)).json()) as DrainView,
        ),
      );
    const all = (text: string, is: (view: DrainView) => boolean) =>
      eventually(text, async () => (await viewsOf()).every(is));
    await all('each knows all three', ({ instances }) => instances.length === 3);
    const set = await runForebay(['drain', '--rate', '90', ...portOf(servers[1]!)]);
    assert.equal(set.code, 0, set.stderr);
    await all('the rate is the same', ({ rate, by }) => rate === 90 && by === ME);
    await runForebay(['drain', '--pause', 'night', ...portOf(servers[2]!)]);
    await all('all are paused', ({ pause }) => pause === 'night');
    for (const { adminUrl } of servers) {
      const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
      assert.match(metrics, /^forebay_drain_rate 90$/m);
      assert.match(metrics, /^forebay_drain_paused 1$/m);
    }
    for (const view of await viewsOf()) {
      const shares = view.instances.reduce((sum, { share }) => sum + (share ?? Number.NaN), 0);
      assert.ok(shares <= 90, `${shares}`);
      assert.equal(view.instances.filter(({ isSelf }) => isSelf).length, 1);
    }
    await nats.stop();
    const refused = await runForebay(['drain', '--resume', ...portOf(servers[0]!)]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^forebay: [^\n]+\n$/);
  });

  it('without options, finds the servers of one stream on this machine, and asks which of several journals', {
    skip: !CAN_UNSHARE && 'this user cannot make a pid namespace',
  }, async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const SCRIPT = `
      for n in 1 2; do
        eval "port=\\$PORT_$n"
        "$NODE" "$MAIN" serve --port 0 --host 127.0.0.1 --admin-port $port --data "$FOLDER/$n" $ARGS >"$FOLDER/log-$n" 2>&1 &
        pids="$pids $!"
        until grep -q 'forebay ready' "$FOLDER/log-$n"; do kill -0 $! || exit 9; sleep 0.05; done
      done
      "$NODE" "$MAIN" drain --rate 5 2>&1
      echo "code $?"
      kill $pids
      wait
    `;
    for (const [args, wanted] of [
      [`--nats ${nats.url}`, /^rate {7}5 orders\/s\n[\s\S]*\ncode 0\n$/],
      [
        '',
        /^forebay: several servers run here \(processes \d+, \d+\): give drain the --admin-port of one\ncode 1\n$/,
      ],
    ] as const) {
      const child = spawn('unshare', [...NAMESPACE, 'sh', '-c', SCRIPT], {
        env: {
          PATH: process.env.PATH,
          FOLDER: folder(t),
          NODE: process.execPath,
          MAIN,
          ARGS: args,
          PORT_1: `${await freePort()}`,
          PORT_2: `${await freePort()}`,
        },
      });
      t.after(() => child.kill('SIGKILL'));
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      await withDeadline(once(child, 'close'), () => `it is asked\n${said}`);
      assert.match(said, wanted);
    }
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
