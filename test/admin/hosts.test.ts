import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { HostCheck } from '../../src/admin/host-check.js';
import { listening } from './admin-server.js';

const ALLOWED = [
  undefined,
  '127.0.0.1',
  '127.0.0.1:3001',
  '10.1.2.3:80',
  '[::1]:3001',
  '[::1]',
  '[fe80::1%eth0]:3001',
  'localhost:3001',
  'LOCALHOST',
  'localhost.',
  'app.localhost:3001',
  'forebay:3001',
  'forebay_1',
  'forebay-0.forebay.shop.svc.cluster.local:3001',
  'forebay.shop.svc',
  'ip-10-0-0-1.ec2.internal',
  'host.docker.internal:3001',
  'shop.local',
  `${hostname()}:3001`,
];

const REFUSED = [
  'evil.example',
  'evil.example:3001',
  '127.0.0.1.evil.example',
  'localhost.evil.example:3001',
  'evil.example.',
  'evillocal.example',
  '[::1].evil.example',
  '[evil.example]',
  '[127.0.0.1]',
  '1.2.3.4.5',
  'user@127.0.0.1',
  '127.0.0.1/x',
  '127.0.0.1:3001:1',
  '::1:x',
  'http://127.0.0.1',
  'a b',
  '\u{ff0e}x',
  '',
];

describe('the Host header', () => {
  it('may be an IP address, a private name, or missing', () => {
    const check = new HostCheck([]);
    for (const host of ALLOWED) assert.ok(check.allows(host), host);
  });

  it('must not be a name that another site can have', () => {
    const check = new HostCheck([]);
    for (const host of REFUSED.filter((host) => host !== '')) assert.ok(!check.allows(host), host);
  });

  it('may be a name of --admin-hosts', () => {
    const check = new HostCheck(['Forebay.example.com', '*.shop.example']);
    assert.ok(check.allows('forebay.example.com:443'));
    assert.ok(check.allows('FOREBAY.EXAMPLE.COM.'));
    assert.ok(check.allows('a.b.shop.example'));
    for (const host of ['example.com', 'x.forebay.example.com', 'shop.example', 'xshop.example']) {
      assert.ok(!check.allows(host), host);
    }
    assert.ok(new HostCheck(['*']).allows('evil.example'));
  });
});

function admin(t: TestContext, hosts: string[] = []): Promise<number> {
  return listening(t, { readiness: () => ['NATS is away'], hosts });
}

/** The whole answer, as text. */
async function ask(port: number, path: string, host: string | null): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const line = host === null ? '' : `Host: ${host}\r\n`;
  socket.write(`GET ${path} HTTP/1.${host === null ? 0 : 1}\r\n${line}Connection: close\r\n\r\n`);
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  await once(socket, 'close');
  return text;
}

describe('an admin server', () => {
  it('answers 421 to a foreign name, with the headers of every answer', async (t) => {
    const port = await admin(t);
    for (const path of ['/', '/metrics', '/live', '/page/main.js', '/page/page.css']) {
      const text = await ask(port, path, 'evil.example:3001');
      assert.match(text, /^HTTP\/1\.1 421 /, path);
      assert.match(text, /\{"result":"misdirected","reason":"[^"]*--admin-hosts"\}$/);
      assert.match(text, /^Content-Security-Policy: default-src 'none'/m);
      assert.match(text, /^X-Content-Type-Options: nosniff/m);
      assert.doesNotMatch(text, /evil/);
    }
  });

  it('answers probes whatever the name, without their reasons', async (t) => {
    const port = await admin(t);
    assert.match(
      await ask(port, '/healthz', 'lb.example'),
      /^HTTP\/1\.1 200 [\s\S]*\{"status":"ok"\}$/,
    );
    assert.match(
      await ask(port, '/readyz', 'lb.example'),
      /^HTTP\/1\.1 503 [\s\S]*\{"status":"not-ready"\}$/,
    );
    assert.match(await ask(port, '/readyz', '127.0.0.1'), /"reasons":\["NATS is away"\]/);
  });

  it('answers HTTP/1.0 without a Host, and names of --admin-hosts', async (t) => {
    const port = await admin(t, ['forebay.example']);
    assert.match(await ask(port, '/metrics', null), /^HTTP\/1\.\d 200 [\s\S]*up 1\n$/);
    assert.match(await ask(port, '/metrics', 'forebay.example'), /^HTTP\/1\.1 200 /);
    assert.match(await ask(port, '/metrics', 'x.forebay.example'), /^HTTP\/1\.1 421 /);
  });
});
