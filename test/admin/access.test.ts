import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { WRONG_TOKENS_MAX } from '../../src/admin/login-attempts.js';
import { pageFiles } from '../../src/admin/page-files.js';
import type { AdminConfig } from '../../src/admin/server.js';
import { HOST, listening } from './admin-server.js';

const TOKEN = 'a-token-of-this-test';
const OTHER = 'another-token-of-this-test';

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The address of the client. */
  readonly from?: string;
}

async function admin(t: TestContext, config: Partial<AdminConfig> = {}) {
  const port = await listening(t, { tokens: { value: [TOKEN] }, ...config });
  return (path: string, { method = 'GET', headers = {}, body = '', from = HOST }: Asked = {}) =>
    new Promise<Answered>((resolve, reject) => {
      const options = { host: HOST, port, path, method, headers, localAddress: from, agent: false };
      request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          // A stream that goes on.
          if (path === '/live') response.destroy();
        });
        response.on('close', () =>
          resolve({ status: response.statusCode!, headers: response.headers, text }),
        );
      })
        .on('error', reject)
        .end(body);
    });
}

type Ask = Awaited<ReturnType<typeof admin>>;

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

function login(ask: Ask, token: string, headers: Record<string, string> = {}, from = HOST) {
  const body = new URLSearchParams({ token }).toString();
  return ask('/login', { method: 'POST', body, headers, from });
}

/** The Cookie header of a browser that got this answer. */
function cookieOf({ headers }: Answered): Record<string, string> {
  return { Cookie: headers['set-cookie']![0]!.split(';')[0]! };
}

describe('an admin server with tokens', () => {
  it('answers 401 to every path but the probes and the login, with and without a page behind it', async (t) => {
    const ask = await admin(t);
    for (const path of [...pageFiles.keys(), '/metrics', '/live', '/drain', '/no-such-page']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'POST']) {
        const { status, headers } = await ask(path, { method });
        assert.equal(status, 401, `${method} ${path}`);
        assert.equal(headers['www-authenticate'], 'Bearer realm="forebay"');
      }
    }
    for (const path of ['/healthz', '/readyz']) assert.equal((await ask(path)).status, 200);
  });

  it('takes a token in the header Authorization, in any spelling of the scheme', async (t) => {
    const ask = await admin(t);
    for (const path of [...pageFiles.keys(), '/metrics', '/live']) {
      assert.equal((await ask(path, { headers: bearer(TOKEN) })).status, 200, path);
    }
    const lower = { authorization: `bearer ${TOKEN}` };
    assert.equal((await ask('/metrics', { headers: lower })).status, 200);
    for (const wrong of [OTHER, TOKEN.slice(0, -1), `${TOKEN}x`]) {
      const { status, headers, text } = await ask('/metrics', { headers: bearer(wrong) });
      assert.equal(status, 401, wrong);
      assert.match(`${headers['www-authenticate']}`, /error="invalid_token"/);
      assert.match(text, /"result":"unauthorized".*--admin-token-file/);
    }
    assert.equal((await ask('/metrics', { headers: bearer('') })).status, 401);
    const basic = { Authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` };
    assert.equal((await ask('/metrics', { headers: basic })).status, 401);
    assert.equal((await ask(`/metrics?token=${TOKEN}`)).status, 401);
  });

  it('shows a form, and its login makes a session that no script reads and no other site uses', async (t) => {
    const ask = await admin(t);
    const form = await ask('/');
    assert.equal(form.status, 401);
    assert.match(form.text, /<form method="post" action="\/login">/);
    assert.match(`${form.headers['content-security-policy']}`, /form-action 'self'/);
    for (const [, path] of form.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      assert.equal((await ask(path!)).status, 200, path);
    }
    const done = await login(ask, TOKEN);
    assert.equal(done.status, 303);
    assert.equal(done.headers.location, '/');
    const [cookie] = done.headers['set-cookie'] as string[];
    assert.match(
      cookie!,
      /^forebay-\d+=[\w.-]+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    assert.ok(!cookie!.includes(TOKEN));
    for (const path of ['/', '/metrics', '/live', '/page/main.js']) {
      assert.equal((await ask(path, { headers: cookieOf(done) })).status, 200, path);
    }
    assert.equal((await ask('/login', { headers: cookieOf(done) })).status, 303);
    const https = await login(ask, TOKEN, { 'X-Forwarded-Proto': 'https' });
    assert.match((https.headers['set-cookie'] as string[])[0]!, /; Secure$/);
  });

  it('says in the form what was wrong, and takes no changed session', async (t) => {
    const ask = await admin(t);
    const wrong = await login(ask, OTHER);
    assert.equal(wrong.status, 401);
    assert.match(wrong.text, /role="alert">This token is not known here\.</);
    assert.equal(wrong.headers['set-cookie'], undefined);
    const { Cookie } = cookieOf(await login(ask, ` ${TOKEN}\n`));
    const [name, text] = Cookie!.split('=');
    const [expiry, nonce, code] = text!.split('.');
    for (const changed of [
      `${Number(expiry) + 1}.${nonce}.${code}`,
      `${expiry}.${nonce!.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}.${code}`,
      `${expiry}.${nonce}.${code!.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`,
      `${expiry}.${nonce}`,
      '',
      TOKEN,
    ]) {
      const headers = { Cookie: `${name}=${changed}` };
      assert.equal((await ask('/metrics', { headers })).status, 401, changed);
    }
    assert.equal((await ask('/metrics', { headers: { Cookie: `a=b; ${Cookie}` } })).status, 200);
  });

  it('ends a session at the logout, and only that one', async (t) => {
    const ask = await admin(t);
    const one = cookieOf(await login(ask, TOKEN));
    const two = cookieOf(await login(ask, TOKEN));
    const out = await ask('/logout', { method: 'POST', headers: one });
    assert.equal(out.status, 303);
    assert.match((out.headers['set-cookie'] as string[])[0]!, /^forebay-\d+=; Path=\/; Max-Age=0;/);
    assert.equal((await ask('/metrics', { headers: one })).status, 401);
    assert.equal((await ask('/metrics', { headers: two })).status, 200);
    assert.equal((await ask('/logout', { headers: two })).status, 405);
  });

  it('knows old and new tokens in a rotation, and ends the sessions of a token that is taken out', async (t) => {
    const tokens = { value: [TOKEN] };
    const ask = await admin(t, { tokens });
    const session = cookieOf(await login(ask, TOKEN));
    tokens.value = [OTHER, TOKEN];
    assert.equal((await ask('/metrics', { headers: bearer(OTHER) })).status, 200);
    assert.equal((await ask('/metrics', { headers: session })).status, 200);
    tokens.value = [OTHER];
    assert.equal((await ask('/metrics', { headers: bearer(TOKEN) })).status, 401);
    assert.equal((await ask('/metrics', { headers: session })).status, 401);
  });

  it('keeps a session over a restart', async (t) => {
    const first = await listening(t, { tokens: { value: [TOKEN] } });
    const made = await fetch(`http://${HOST}:${first}/login`, {
      method: 'POST',
      body: new URLSearchParams({ token: TOKEN }),
      redirect: 'manual',
    });
    const [name, text] = made.headers.getSetCookie()[0]!.split(';')[0]!.split('=');
    const second = await listening(t, { tokens: { value: [TOKEN] } });
    // Its name has the port, which a server that starts again keeps.
    const Cookie = `${name!.replace(`${first}`, `${second}`)}=${text}`;
    const { status } = await fetch(`http://${HOST}:${second}/metrics`, { headers: { Cookie } });
    assert.equal(status, 200);
  });

  it('tells the pages whether a login is needed', async (t) => {
    const ask = await admin(t);
    assert.equal((await ask('/login/state')).text, '{"needsLogin":true,"isIn":false}');
    const headers = cookieOf(await login(ask, TOKEN));
    assert.equal((await ask('/login/state', { headers })).text, '{"needsLogin":true,"isIn":true}');
    const open = await admin(t, { tokens: null });
    assert.equal((await open('/login/state')).text, '{"needsLogin":false,"isIn":true}');
    assert.equal((await open('/login')).status, 404);
  });

  it('refuses a form that is too long', async (t) => {
    const ask = await admin(t);
    assert.equal((await login(ask, 'x'.repeat(5000))).status, 413);
  });
});

describe('wrong tokens', () => {
  it('are bounded for each address: beyond that, none is compared', async (t) => {
    const ask = await admin(t);
    for (let n = 0; n < WRONG_TOKENS_MAX; n++) {
      const { status } =
        n % 2 === 0
          ? await login(ask, `wrong-token-${n}`)
          : await ask('/metrics', { headers: bearer(`wrong-token-${n}`) });
      assert.equal(status, 401, `${n}`);
    }
    for (const token of ['wrong-token-99', TOKEN]) {
      const answers = [await login(ask, token), await ask('/metrics', { headers: bearer(token) })];
      for (const { status, headers, text } of answers) {
        assert.equal(status, 429);
        assert.match(`${headers['retry-after']}`, /^[1-5]$/);
        assert.match(text, /too many wrong tokens from this address/);
      }
    }
    assert.equal((await ask('/healthz')).status, 200);
    assert.equal((await login(ask, TOKEN, {}, '127.0.0.2')).status, 303);
  });

  it('do not count again if they are the same, as of a scraper after a rotation', async (t) => {
    const ask = await admin(t);
    for (let n = 0; n < WRONG_TOKENS_MAX * 2; n++) {
      assert.equal((await ask('/metrics', { headers: bearer(OTHER) })).status, 401);
    }
    assert.equal((await login(ask, TOKEN)).status, 303);
  });

  it('do not touch sessions that are there', async (t) => {
    const ask = await admin(t);
    const headers = cookieOf(await login(ask, TOKEN));
    for (let n = 0; n <= WRONG_TOKENS_MAX; n++) await login(ask, `wrong-token-${n}`);
    assert.equal((await login(ask, TOKEN)).status, 429);
    assert.equal((await ask('/metrics', { headers })).status, 200);
  });

  it('are logged with the address, and without the token', async (t) => {
    const lines: string[] = [];
    const log: AdminConfig['log'] = (event, message, fields) =>
      lines.push(JSON.stringify({ event, message, fields }));
    const ask = await admin(t, { log });
    await login(ask, OTHER);
    await login(ask, TOKEN);
    assert.match(lines[0]!, /"admin-login-failed".*"address":"127\.0\.0\.1"/);
    assert.match(lines[1]!, /"admin-login".*"address":"127\.0\.0\.1"/);
    assert.doesNotMatch(lines.join(''), new RegExp(`${TOKEN}|${OTHER}`));
  });
});

describe('a page of another site', () => {
  const SITE = { Origin: 'https://evil.example' };

  it('gets nothing, with and without a token, and with a session', async (t) => {
    for (const tokens of [null, { value: [TOKEN] }]) {
      const ask = await admin(t, { tokens });
      const headers = tokens === null ? SITE : { ...SITE, ...cookieOf(await login(ask, TOKEN)) };
      for (const path of ['/', '/metrics', '/live', '/login/state', '/drain']) {
        const { status, text } = await ask(path, { headers });
        assert.equal(status, 403, path);
        assert.match(text, /"result":"forbidden".*--admin-hosts/);
      }
      assert.equal((await login(ask, TOKEN, SITE)).status, 403);
      assert.equal((await ask('/logout', { method: 'POST', headers })).status, 403);
      const probe = await ask('/readyz', { headers });
      assert.equal(probe.status, 200);
      assert.equal(probe.text, '{"status":"ok"}');
    }
  });

  it('is one whose origin is not the Host, nor a name of --admin-hosts', async (t) => {
    const ask = await admin(t, { tokens: null, hosts: ['shop.example', '*.ops.example', '*'] });
    const statusOf = async (Origin: string, Host: string) =>
      (await ask('/metrics', { headers: { Origin, Host } })).status;
    for (const [origin, host] of [
      ['http://127.0.0.1:3001', '127.0.0.1:3001'],
      ['http://[::1]:3001', '[::1]:3001'],
      ['http://Forebay', 'forebay:80'],
      ['https://forebay', 'forebay'],
      ['https://shop.example', '127.0.0.1:3001'],
      ['https://a.ops.example:8443', 'forebay:3001'],
      ['http://any.example', 'any.example'],
    ] as const) {
      assert.equal(await statusOf(origin, host), 200, `${origin} ${host}`);
    }
    for (const [origin, host] of [
      ['http://127.0.0.1:8080', '127.0.0.1:3001'],
      ['http://127.0.0.1', '127.0.0.1:3001'],
      ['http://localhost:3001', '127.0.0.1:3001'],
      ['null', '127.0.0.1:3001'],
      ['', '127.0.0.1:3001'],
      ['file://', 'forebay'],
      ['https://shop.example.evil.example', 'forebay'],
      ['https://ops.example', 'forebay'],
      ['https://xops.example', 'forebay'],
    ] as const) {
      assert.equal(await statusOf(origin, host), 403, `${origin} ${host}`);
    }
  });
});
