import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { Program } from '../support/program.js';
import { postOrder, VALID_BODY } from '../support/raw-http.js';

const skip = spawnSync('nginx', ['-v']).error === undefined ? false : 'nginx is not installed';

it('nginx with its defaults, which speaks HTTP/1.0 to its upstream, is served by node:http', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-nginx-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const forebay = await startForebay(['--http', 'node', '--threads', '1'], { owner: t });
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const file = join(folder, 'nginx.conf');
  const user = process.getuid!() === 0 ? 'user root;' : '';
  const main = `${user} daemon off; pid ${join(folder, 'nginx.pid')}; error_log stderr; events {}`;
  const server = `server { listen 127.0.0.1:${port}; location / { proxy_pass ${forebay.url}; } }`;
  writeFileSync(file, `${main}\nhttp { access_log off; ${paths.join(' ')} ${server} }\n`);
  const nginx = new Program('nginx', ['-c', file], { log: join(folder, 'nginx.log') });
  t.after(async () => {
    await nginx.stop();
  });
  const url = `http://127.0.0.1:${port}`;
  const type = { 'Content-Type': 'application/json' };
  await nginx.ready(async () => (await postOrder(url, '{}', type)).status === 400);
  const ids = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const answer = await postOrder(url, VALID_BODY, type);
    assert.equal(answer.status, 200);
    ids.add(answer.headers['x-order-id']!);
  }
  assert.equal(ids.size, 20);
});
