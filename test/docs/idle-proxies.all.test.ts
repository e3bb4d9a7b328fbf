import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINES } from '../support/engines.js';
import { startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { OrderClient } from '../support/orders.js';
import { Program } from '../support/program.js';

/** Around what uWebSockets.js waits, and what it announces. */
const GAPS_MS = [1000, 4900, 6900, 7900, 8100, 9900, 11_900, 12_100, 13_000];
/** How long a proxy keeps an idle connection to a server: what docs/guides/tls-and-proxies.md says, and the default of nginx. */
const KEPT_S = { uws: 5, node: 60 } as const;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'forebay-idle-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function isMissing(program: string): string | false {
  return spawnSync(program, ['-v']).error === undefined ? false : `${program} is not installed`;
}

function nginxArguments(port: number, upstream: string, keptS: number): string[] {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const user = process.getuid!() === 0 ? 'user root;' : '';
  const file = join(folder, `nginx-${port}.conf`);
  const proxied =
    'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream off;';
  writeFileSync(
    file,
    `${user} daemon off; pid ${join(folder, `nginx-${port}.pid`)}; error_log stderr; events {}
http { access_log off; ${temporary.join(' ')}
upstream forebay { server ${upstream} max_fails=0; keepalive 64; keepalive_timeout ${keptS}s; }
server { listen 127.0.0.1:${port}; keepalive_timeout 75s; location / { proxy_pass http://forebay; ${proxied} } } }`,
  );
  return ['-c', file];
}

function haproxyArguments(port: number, upstream: string, keptS: number): string[] {
  const file = join(folder, `haproxy-${port}.cfg`);
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 2s
  timeout client 75s
  timeout server 30s
  retries 0
frontend orders
  bind 127.0.0.1:${port}
  default_backend forebay
backend forebay
  http-reuse always
  server a ${upstream} pool-purge-delay ${keptS}s
`,
  );
  return ['-db', '-f', file];
}

const PROXIES = { nginx: nginxArguments, haproxy: haproxyArguments } as const;

for (const { http, skip } of ENGINES) {
  for (const [program, argumentsOf] of Object.entries(PROXIES)) {
    describe(`${program} in front of --http ${http}`, { skip: skip || isMissing(program) }, () => {
      it(`gets no reset on connections that it keeps for ${KEPT_S[http]} s`, async (t) => {
        const forebay = await startForebay(['--http', http], { owner: t });
        const port = await freePort();
        const args = argumentsOf(port, new URL(forebay.url).host, KEPT_S[http]);
        const proxy = new Program(program, args, { log: join(folder, `${program}-${http}.log`) });
        t.after(() => proxy.stop());
        const url = `http://127.0.0.1:${port}`;
        const first = new OrderClient(url, 1);
        await proxy.ready(async () => (await first.post('first')).status === 200);
        first.close();
        // Each gap has clients of its own, which use the connections that the proxy keeps.
        await Promise.all(
          GAPS_MS.map(async (gapMs) => {
            const client = new OrderClient(url, 4);
            for (let i = 0; i < 3; i++) {
              const names = Array.from({ length: 4 }, (_, k) => `gap-${gapMs}-${i}-${k}`);
              const statuses = (await client.postAll(names)).map(({ status }) => status);
              assert.deepEqual(statuses, [200, 200, 200, 200], `after ${gapMs} ms`);
              await sleep(gapMs);
            }
            client.close();
          }),
        );
        assert.equal(await forebay.stop(), 0);
      });
    });
  }
}
