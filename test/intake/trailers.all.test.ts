import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ledgerHandler } from '../drain/handlers.js';
import { startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { ENGINES } from '../support/http-engine.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { Program } from '../support/program.js';

const ORDERS = 50;
const noHaproxy = spawnSync('haproxy', ['-v']).error === undefined ? false : 'no haproxy';

/** Posts an order with trailers, as a program of Node does. @returns the status; 0 without an answer */
function postWithTrailers(url: string, username: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'application/json', Trailer: 'x-sum' };
    const sent = request(`${url}/orders`, { method: 'POST', headers, agent: false }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode!));
    });
    sent.once('error', () => resolve(0));
    sent.write(orderBody(username));
    sent.addTrailers({ 'x-sum': '1' });
    sent.end();
  });
}

/** HAProxy in front of a server. @returns its URL */
async function proxyTo(t: TestContext, url: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-haproxy-'));
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  const timeouts = ['connect', 'client', 'server'].map((what) => `  timeout ${what} 30s`);
  const parts = [
    ...['defaults', '  mode http', ...timeouts],
    ...['frontend orders', `  bind 127.0.0.1:${port}`, '  default_backend forebay'],
    ...['backend forebay', `  server a ${new URL(url).host}`],
  ];
  writeFileSync(file, `${parts.join('\n')}\n`);
  const proxy = new Program('haproxy', ['-db', '-f', file], { log: join(folder, 'haproxy.log') });
  t.after(async () => {
    await proxy.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const front = `http://127.0.0.1:${port}`;
  await proxy.ready(async () => (await fetch(`${front}/`)).status === 404);
  return front;
}

for (const http of ENGINES) {
  describe(`orders with trailers of Node, --http ${http}`, () => {
    for (const [where, skip] of [
      ['directly', false],
      ['through HAProxy', noHaproxy],
    ] as const) {
      it(`${where}: kept if and only if answered 200`, { skip }, async (t) => {
        const ledger = await ledgerHandler(t);
        const flags = ['--http', http, '--handler', ledger.file, '--threads', '1'];
        const forebay = await startForebay(flags, { owner: t });
        const url = where === 'directly' ? forebay.url : await proxyTo(t, forebay.url);
        const told: string[] = [];
        for (let i = 0; i < ORDERS; i++) {
          const status = await postWithTrailers(url, `user-${i}`);
          if (status === 200) told.push(`user-${i}`);
          if (http === 'node') assert.equal(status, 200);
        }
        await eventually(
          'nothing waits',
          async () => (await metric(forebay, 'forebay_journal_pending_orders')) === 0,
        );
        const kept = (await ledger.lines()).map(({ username }) => username);
        assert.deepEqual(kept.sort(), told.sort());
        t.diagnostic(`${told.length} of ${ORDERS} answered 200`);
        assert.equal(await forebay.stop(), 0);
      });
    }
  });
}
