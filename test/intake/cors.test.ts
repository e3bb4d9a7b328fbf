import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { exchange, postOrder, type RawAnswer, VALID_BODY } from '../support/raw-http.js';

const SHOP = 'https://shop.example';
const STRANGER = 'https://stranger.example';

function preflight(url: string, path: string, headers: Readonly<Record<string, string>>) {
  const lines = Object.entries({ Host: 'x', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return exchange(url, `OPTIONS ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
}

const asksFrom = (origin: string, method = 'POST') => ({
  Origin: origin,
  'Access-Control-Request-Method': method,
  'Access-Control-Request-Headers': 'content-type,idempotency-key',
});

function allowed({ headers }: RawAnswer): string | undefined {
  return headers['access-control-allow-origin'];
}

/** One answer of each kind, for a web page of `origin`. */
async function answersTo(
  url: string,
  origin: string,
): Promise<Readonly<Record<string, RawAnswer>>> {
  const get = (path: string) =>
    exchange(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\n\r\n`);
  const send = (body: string, headers: Readonly<Record<string, string>> = {}) =>
    postOrder(url, body, { Origin: origin, ...headers });
  const accepted = await send(VALID_BODY, { 'Idempotency-Key': `key-of-${origin}` });
  return {
    accepted,
    replayed: await send(VALID_BODY, { 'Idempotency-Key': `key-of-${origin}` }),
    reused: await send(VALID_BODY.replace('33', '34'), { 'Idempotency-Key': `key-of-${origin}` }),
    invalid: await send('{}'),
    'invalid key': await send(VALID_BODY, { 'Idempotency-Key': 'k'.repeat(65) }),
    'media type': await send(VALID_BODY, { 'Content-Type': 'text/plain' }),
    coding: await send(VALID_BODY, { 'Content-Encoding': 'br' }),
    'too large': await send(' '.repeat(5000)),
    method: await get('/orders'),
    path: await get('/elsewhere'),
    receipt: await get(`/orders/${accepted.headers['x-order-id']}`),
    'no receipt': await get('/orders/unknown'),
  };
}

const STATUSES = {
  accepted: 200,
  replayed: 200,
  reused: 422,
  invalid: 400,
  'invalid key': 400,
  'media type': 415,
  coding: 415,
  'too large': 413,
  method: 405,
  path: 404,
  receipt: 200,
  'no receipt': 404,
} as const;

for (const { http, skip } of ENGINES) {
  describe(`web pages of other origins, --http ${http}`, { skip }, () => {
    let forebay: ForebayProcess;
    before(async () => {
      const origins = `${SHOP},http://localhost:8080`;
      forebay = await startForebay(['--http', http, '--cors-origin', origins]);
    });
    after(async () => assert.equal(await forebay.stop(), 0));

    it('a preflight of an allowed origin is answered', async () => {
      for (const [path, methods] of [
        ['/orders', 'POST'],
        ['/orders/01M83MSMYH5PA2B9QP00000000-0', 'GET, HEAD'],
      ] as const) {
        const answer = await preflight(forebay.url, path, asksFrom(SHOP));
        assert.equal(answer.status, 200);
        assert.equal(allowed(answer), SHOP);
        assert.equal(answer.headers['access-control-allow-methods'], methods);
        assert.equal(
          answer.headers['access-control-allow-headers'],
          'content-type, content-encoding, idempotency-key, prefer',
        );
        assert.match(answer.headers['access-control-max-age']!, /^[1-9]\d*$/);
        assert.equal(answer.headers.vary, 'Origin');
      }
    });

    it('a preflight of another origin, or OPTIONS that is no preflight, is answered 405', async () => {
      for (const headers of [
        asksFrom(STRANGER),
        asksFrom(`${SHOP}.stranger.example`),
        asksFrom('http://shop.example'),
        asksFrom(`${SHOP}:8443`),
        asksFrom('null'),
        { 'Access-Control-Request-Method': 'POST' },
      ]) {
        const answer = await preflight(forebay.url, '/orders', headers);
        assert.equal(answer.status, 405, JSON.stringify(headers));
        assert.equal(allowed(answer), undefined);
        assert.equal(answer.headers.vary, 'Origin');
      }
      const known = await preflight(forebay.url, '/orders', { Origin: SHOP });
      assert.equal(known.status, 405);
    });

    it('an allowed origin may read every answer', async () => {
      for (const [name, answer] of Object.entries(await answersTo(forebay.url, SHOP))) {
        assert.equal(answer.status, STATUSES[name as keyof typeof STATUSES], name);
        assert.equal(allowed(answer), SHOP, name);
        assert.equal(answer.headers.vary, 'Origin', name);
        for (const header of ['x-order-id', 'x-invalid', 'idempotent-replay', 'retry-after']) {
          assert.ok(answer.headers['access-control-expose-headers']!.includes(header), name);
        }
      }
    });

    it('no other origin may read an answer', async () => {
      for (const [name, answer] of Object.entries(await answersTo(forebay.url, STRANGER))) {
        assert.equal(answer.status, STATUSES[name as keyof typeof STATUSES], name);
        assert.equal(allowed(answer), undefined, name);
        assert.equal(answer.headers.vary, 'Origin', name);
      }
    });

    it('a second origin of the list is allowed', async () => {
      const answer = await postOrder(forebay.url, VALID_BODY, { Origin: 'http://localhost:8080' });
      assert.equal(allowed(answer), 'http://localhost:8080');
    });
  });

  describe(`--cors-origin * and none, --http ${http}`, { skip }, () => {
    it('with * every origin may read the answers; preflights do not count against the limit', async (t) => {
      const flags = ['--http', http, '--cors-origin', '*', '--rps-limit', '1'];
      const forebay = await startForebay(flags, { owner: t });
      for (let i = 0; i < 3; i++) {
        const answer = await preflight(forebay.url, '/orders', asksFrom(STRANGER));
        assert.equal(answer.status, 200);
        assert.equal(allowed(answer), '*');
      }
      const answer = await postOrder(forebay.url, VALID_BODY, { Origin: STRANGER });
      assert.equal(answer.status, 200);
      assert.equal(allowed(answer), '*');
      assert.equal(await forebay.stop(), 0);
    });

    it('without it there is no header of CORS', async (t) => {
      const forebay = await startForebay(['--http', http], { owner: t });
      assert.equal((await preflight(forebay.url, '/orders', asksFrom(SHOP))).status, 405);
      for (const [name, answer] of Object.entries(await answersTo(forebay.url, SHOP))) {
        assert.equal(allowed(answer), undefined, name);
        assert.equal(answer.headers.vary, undefined, name);
      }
      assert.equal(await forebay.stop(), 0);
    });
  });
}

describe('the value of --cors-origin', () => {
  for (const value of [
    'shop.example',
    'https://shop.example/',
    'https://shop.example/path',
    'https://Shop.example',
    'https://shop.example:443',
    'http://shop.example:80',
    'https://*.example',
    'https://a,,https://b',
  ]) {
    it(`${value} is refused in one line`, async () => {
      const { code, stderr } = await runForebay(['serve', '--cors-origin', value]);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^forebay: --cors-origin .*must be an origin such as https:\/\/shop\.example.*\n$/,
      );
    });
  }
});
