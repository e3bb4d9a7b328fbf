import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { adminAddressOf } from '../../src/options/admin-address.js';
import { withDeadline } from '../support/deadline.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { eventually } from '../support/orders.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
/** A container's own processes; the kernel gives a namespace only to root. */
const NAMESPACE = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const CAN_UNSHARE = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'forebay-health-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

describe('forebay health', () => {
  it('asks the server whose options it gets: flags, variables or a file', async (t) => {
    const forebay = await startForebay([], { owner: t });
    const { port } = new URL(forebay.adminUrl);
    const config = join(folder(t), 'forebay.json');
    writeFileSync(config, JSON.stringify({ 'admin-port': Number(port) }));
    for (const [args, env] of [
      [['--admin-port', port], {}],
      [['--config', config], {}],
      [['--admin-host', '0.0.0.0'], { FOREBAY_ADMIN_PORT: port }],
      [['--ready', '--admin-port', port], {}],
    ] as const) {
      let health = await runForebay(['health', ...args], env);
      // It waits two seconds, which a busy machine can take.
      await eventually('the server answers in time', async () => {
        if (!/none within 2000 ms/.test(health.stdout)) return true;
        health = await runForebay(['health', ...args], env);
        return false;
      });
      const status = args[0] === '--ready' ? 'ready' : 'ok';
      assert.equal(health.stdout, `200 {"status":"${status}"}\n`);
      assert.equal(health.stderr, '');
      assert.equal(health.code, 0);
    }
  });

  it('fails with one line and code 1 if there is no server, no port, or an unknown option', async () => {
    for (const [args, wanted] of [
      [['--admin-port', `${await freePort()}`], /^no answer on port \d+ of 127\.0\.0\.1: .*\n$/],
      [['--admin-port', '0'], /^--admin-port 0 picks any port.*\n$/],
      [['--admin-port', 'x'], /^--admin-port "x": must be a whole number from 0 to 65535\n$/],
      [['--admin-prot', '1'], /^--admin-prot: unknown option; did you mean --admin-port\?\n$/],
    ] as const) {
      const { code, stdout, stderr } = await runForebay(['health', ...args]);
      assert.match(stdout, wanted);
      assert.equal(stderr, '');
      assert.equal(code, 1);
    }
  });

  it('fails if the server is not ready, or never answers', async (t) => {
    const server = createServer((request, response) => {
      if (request.url === '/readyz') response.writeHead(503).end('{"status":"not-ready"}');
    }).listen(0, '127.0.0.1');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    const flags = ['--admin-port', `${(server.address() as AddressInfo).port}`];
    const unready = await runForebay(['health', '--ready', ...flags]);
    assert.equal(unready.stdout, '503 {"status":"not-ready"}\n');
    assert.equal(unready.code, 1);
    const silent = await runForebay(['health', ...flags]);
    assert.match(silent.stdout, /none within 2000 ms/);
    assert.equal(silent.code, 1);
  });

  describe('in a container', {
    skip: !CAN_UNSHARE && 'this user cannot make a pid namespace',
  }, () => {
    const SCRIPT = `
      cd "$FOLDER" && : >log
      env $SET "$NODE" "$MAIN" $ARGS >log 2>&1 &
      until grep -q 'forebay ready' log; do kill -0 $! || exit 9; sleep 0.05; done
      cd /
      "$NODE" "$MAIN" health
      echo "code $?"
      kill $!
      wait $!
    `;

    for (const where of ['flag', 'flag of serve', 'variable', 'config', 'config by variable']) {
      it(`follows the admin port that is set by a ${where} of the server`, async (t) => {
        const dir = folder(t);
        const port = await freePort();
        writeFileSync(join(dir, 'c.json'), JSON.stringify({ 'admin-port': port }));
        const args: Readonly<Record<string, string>> = {
          flag: `--admin-port ${port}`,
          'flag of serve': `serve --admin-port=${port}`,
          config: 'serve --config c.json',
        };
        const set: Readonly<Record<string, string>> = {
          variable: `FOREBAY_ADMIN_PORT=${port}`,
          'config by variable': 'FOREBAY_CONFIG=c.json',
        };
        const child = spawn('unshare', [...NAMESPACE, 'sh', '-c', SCRIPT], {
          env: {
            PATH: process.env.PATH,
            FOLDER: dir,
            NODE: process.execPath,
            MAIN,
            ARGS: `${args[where] ?? 'serve'} --port 0 --host 127.0.0.1 --mode direct`,
            SET: set[where] ?? 'X=x',
          },
        });
        t.after(() => child.kill('SIGKILL'));
        let said = '';
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding('utf8').on('data', (text: string) => {
            said += text;
          });
        }
        await withDeadline(once(child, 'close'), () => `it is asked\n${said}`);
        assert.equal(said, '200 {"status":"ok"}\ncode 0\n');
      });
    }
  });
});

describe('the address of the admin port', () => {
  it('can be dialled where the server listens on every address', () => {
    const of = (...argv: string[]) => {
      const { host, port } = adminAddressOf(argv, {});
      return { host, port };
    };
    assert.deepEqual(of(), { host: '127.0.0.1', port: 3001 });
    assert.deepEqual(of('--admin-host', '0.0.0.0'), { host: '127.0.0.1', port: 3001 });
    assert.deepEqual(of('--admin-host=::', '--admin-port=1'), { host: '::1', port: 1 });
    assert.deepEqual(of('--admin-host', '10.0.0.1'), { host: '10.0.0.1', port: 3001 });
  });

  it('comes with the file of the token, from the folder of the server on', () => {
    const of = (...argv: string[]) => adminAddressOf(argv, {}, '/srv/shop').tokenFile;
    assert.equal(of(), '');
    assert.equal(of('--admin-token-file', 'token'), '/srv/shop/token');
    assert.equal(of('--admin-token-file', '/run/token'), '/run/token');
  });

  it('is known although other options are wrong by now', () => {
    const argv = ['--threads', '999', '--retry-ms-min', '5', '--retry-ms-max', '1'];
    assert.equal(adminAddressOf(argv, { FOREBAY_ADMIN_PORT: '9000' }).port, 9000);
  });
});
