import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ledgerHandler } from '../../drain/handlers.js';
import { startForebay } from '../../support/forebay.js';
import { freePort } from '../../support/free-port.js';
import { eventually, metric, OrderClient } from '../../support/orders.js';
import { Program } from '../../support/program.js';
import { FRAMING_CASES } from './cases.js';
import { Session } from './session.js';

const AT_ONCE = 50;

/** Writes its configuration into `folder`. @returns its arguments */
type Configure = (folder: string, port: number, upstream: string) => readonly string[];

const nginx: Configure = (folder, port, upstream) => {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const user = process.getuid!() === 0 ? 'user root;' : '';
  const pass = `proxy_pass http://${upstream}; proxy_http_version 1.1; proxy_set_header Connection "";`;
  const server = `server { listen 127.0.0.1:${port}; location / { ${pass} } }`;
  const main = `${user} daemon off; pid ${join(folder, 'pid')}; error_log stderr; events {}`;
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `${main} http { access_log off; ${paths.join(' ')} ${server} }`);
  return ['-c', file];
};

const haproxy: Configure = (folder, port, upstream) => {
  const file = join(folder, 'haproxy.cfg');
  const limits = 'timeout connect 30s\ntimeout client 60s\ntimeout server 60s';
  const front = `frontend orders\nbind 127.0.0.1:${port}\ndefault_backend forebay`;
  writeFileSync(
    file,
    `defaults\nmode http\n${limits}\n${front}\nbackend forebay\nserver a ${upstream}\n`,
  );
  return ['-db', '-f', file];
};

async function throughProxy(t: TestContext, program: string, configure: Configure): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-framing-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ledger = await ledgerHandler(t);
  const forebay = await startForebay(['--handler', ledger.file, '--threads', '1'], { owner: t });
  const port = await freePort();
  const args = configure(folder, port, new URL(forebay.url).host);
  const proxy = new Program(program, args, { log: join(folder, 'log') });
  t.after(async () => {
    await proxy.stop();
  });
  const url = `http://127.0.0.1:${port}`;
  const client = new OrderClient(url, 1);
  await proxy.ready(async () => (await client.post('marker')).status === 200);
  const sessions: Session[] = [];
  for (let at = 0; at < FRAMING_CASES.length; at += AT_ONCE) {
    const group = FRAMING_CASES.slice(at, at + AT_ONCE);
    sessions.push(
      ...(await Promise.all(
        group.map(async ({ pieces }, i) => {
          const session = await Session.open(url);
          for (const piece of pieces(`user-${String(at + i).padStart(3, '0')}`)) {
            await session.send(piece);
          }
          return session;
        }),
      )),
    );
    assert.equal((await client.post('marker')).status, 200);
  }
  const compare = async () => {
    const kept = (await ledger.lines()).filter(({ username }) => username !== 'marker');
    const told = sessions
      .flatMap((session) => session.answers())
      .filter(({ status }) => status === 200);
    return [kept.map(({ id }) => id).sort(), told.map(({ orderId }) => orderId).sort()];
  };
  await eventually('an order is kept once for each 200', async () => {
    if ((await metric(forebay, 'forebay_journal_pending_orders')) > 0) return false;
    const [kept, told] = await compare();
    return JSON.stringify(kept) === JSON.stringify(told);
  });
  for (const session of sessions) session.destroy();
  client.close();
  assert.equal(await forebay.stop(), 0);
}

describe('requests whose framing is right, wrong or ambiguous, through a proxy: an order is kept once for each 200', () => {
  for (const [program, configure] of [
    ['nginx', nginx],
    ['haproxy', haproxy],
  ] as const) {
    const skip = spawnSync(program, ['-v']).error === undefined ? false : `no ${program}`;
    it(program, { skip }, (t) => throughProxy(t, program, configure));
  }
});
