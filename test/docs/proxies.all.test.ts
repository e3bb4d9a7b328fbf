import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { Program } from '../support/program.js';
import { codeBlocks } from './pages.js';
import { replaced } from './replaced.js';

const TLS_PAGE = 'docs/guides/tls-and-proxies.md';
const ORDER = '{"product_id":"33","count":"3","username":"m"}';

const folder = mkdtempSync(join(tmpdir(), 'forebay-proxies-'));
const certificate = join(folder, 'orders.pem');
const key = join(folder, 'orders.key');
let forebay: ForebayProcess;

before(async () => {
  const name = ['-subj', '/CN=localhost', '-days', '2'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...name, ...files], {
    stdio: 'ignore',
  });
  forebay = await startForebay();
});
after(async () => {
  await forebay.stop();
  rmSync(folder, { recursive: true, force: true });
});

function isMissing(program: string): string | false {
  return spawnSync(program, ['-v']).error === undefined ? false : `${program} is not installed`;
}

/** The examples of a page in one configuration language. */
function examples(page: string, language: string): string[] {
  return codeBlocks(page)
    .filter((block) => block.language === language)
    .map(({ text }) => text);
}

function hostOf(url: string): string {
  return new URL(url).host;
}

/** Sends requests through a proxy and returns the answers, headers included. */
function curl(port: number, args: readonly string[]): string {
  const url = `https://127.0.0.1:${port}/orders`;
  return execFileSync('curl', ['-ski', '--http1.1', ...args, url], { encoding: 'utf8' });
}

function post(port: number, args: readonly string[] = []): string {
  return curl(port, ['-H', 'Content-Type: application/json', '-d', ORDER, ...args]);
}

async function started(program: string, args: readonly string[], port: number): Promise<Program> {
  const proxy = new Program(program, args, { log: join(folder, `${program}.log`) });
  await proxy.ready(async () => post(port).startsWith('HTTP/1.1 401'));
  return proxy;
}

describe('the nginx examples', { skip: isMissing('nginx') }, () => {
  function nginxConfig(servers: string): string {
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(folder, name)};`,
    );
    const file = join(folder, 'nginx.conf');
    // Workers of another user could not read the temporary folder.
    const user = process.getuid!() === 0 ? 'user root;' : '';
    const main = `${user} daemon off; pid ${join(folder, 'nginx.pid')}; error_log stderr; events {}`;
    writeFileSync(file, `${main}\nhttp { access_log off; ${paths.join(' ')}\n${servers}\n}\n`);
    return file;
  }

  it('takes orders with a password, and answers preflight requests', async () => {
    const port = await freePort();
    const passwords = join(folder, 'htpasswd');
    writeFileSync(passwords, 'shop:{PLAIN}secret\n');
    const [server, cors] = examples(TLS_PAGE, 'nginx') as [string, string];
    const config = replaced(server, [
      ['127.0.0.1:3000', hostOf(forebay.url)],
      ['listen 443', `listen 127.0.0.1:${port}`],
      ['/etc/ssl/orders.pem', certificate],
      ['/etc/ssl/orders.key', key],
      ['/etc/nginx/orders.htpasswd', passwords],
      ['proxy_read_timeout 10s;', `proxy_read_timeout 10s;\n${cors}`],
    ]);
    const nginx = await started('nginx', ['-c', nginxConfig(config)], port);
    try {
      const answer = post(port, ['-u', 'shop:secret', '-H', `Cookie: a=${'x'.repeat(3000)}`]);
      assert.match(answer, /^HTTP\/1\.1 200 /);
      assert.match(answer, /access-control-allow-origin: https:\/\/shop\.example\.com/i);
      assert.match(curl(port, ['-X', 'OPTIONS']), /^HTTP\/1\.1 204 /);
    } finally {
      await nginx.stop();
    }
  });
});

describe('the HAProxy examples', { skip: isMissing('haproxy') }, () => {
  it('takes orders with a password', async () => {
    const port = await freePort();
    const both = join(folder, 'both.pem');
    writeFileSync(both, execFileSync('cat', [certificate, key]));
    const [example] = examples(TLS_PAGE, 'haproxy') as [string];
    const config = join(folder, 'haproxy.cfg');
    const text = replaced(example, [
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['/etc/haproxy/orders.pem', both],
      ['127.0.0.1:3000', hostOf(forebay.url)],
      ['port 3001', `port ${new URL(forebay.adminUrl).port}`],
    ]);
    writeFileSync(config, text);
    const haproxy = await started('haproxy', ['-db', '-f', config], port);
    try {
      assert.match(post(port, ['-u', 'shop:secret']), /^HTTP\/1\.1 200 /);
    } finally {
      await haproxy.stop();
    }
  });
});
