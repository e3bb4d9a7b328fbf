import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { keyLine, newKey, sha256Of } from '../../src/senders/key-file.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric } from '../support/orders.js';
import { exchange, postOrder, VALID_BODY } from '../support/raw-http.js';

const UNAUTHORIZED = '{"result":"unauthorized"}';

function line(name: string, key: string, rps = 0): string {
  return keyLine({ name, sha256: sha256Of(key), rps });
}

for (const { http, skip } of ENGINES) {
  describe(`API keys, --http ${http}`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'senders-keys-'));
    const file = join(folder, 'keys');
    const acme = newKey();
    const globex = newKey();
    const slow = newKey();
    const pair = newKey();
    let forebay: ForebayProcess;

    const write = (...lines: string[]) => writeFileSync(file, `${lines.join('\n')}\n`);
    const post = (headers: Readonly<Record<string, string>>) =>
      postOrder(forebay.url, VALID_BODY, headers);
    const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });

    before(async () => {
      write(
        '# senders',
        line('acme', acme),
        line('globex', globex),
        line('slow', slow, 2),
        line('pair', pair, 10),
      );
      const cors = ['--cors-origin', 'https://shop.example'];
      forebay = await startForebay(['--http', http, '--api-keys', file, ...cors]);
    });
    after(async () => {
      assert.equal(await forebay.stop(), 0);
      rmSync(folder, { recursive: true });
    });

    it('a key is taken as Bearer in any case, or as X-Api-Key', async () => {
      for (const headers of [
        bearer(acme),
        { Authorization: `bearer ${acme}` },
        { Authorization: `BEARER   ${acme}` },
        { 'X-Api-Key': acme },
        { 'x-api-key': globex },
        { Authorization: 'Basic dXNlcjpwYXNz', 'X-Api-Key': acme },
      ]) {
        const answer = await post(headers);
        assert.equal(answer.status, 200, JSON.stringify(headers));
      }
    });

    it('idempotency keys of one name are not those of another', async () => {
      for (const path of ['/orders', '/orders/batch']) {
        const send = async (key: string, body = VALID_BODY) => {
          const answer = await fetch(`${forebay.url}${path}`, {
            method: 'POST',
            body: path === '/orders' ? body : `[${body}]`,
            headers: {
              'Content-Type': 'application/json',
              'Idempotency-Key': path,
              'X-Api-Key': key,
            },
          });
          const isReplay = answer.headers.get('idempotent-replay') === 'true';
          return { status: answer.status, isReplay, id: answer.headers.get('x-order-id') };
        };
        const other = VALID_BODY.replace('"3"', '"4"');
        const first = await send(acme);
        const ofGlobex = await send(globex);
        assert.deepEqual([first.status, first.isReplay], [200, false], path);
        assert.deepEqual([ofGlobex.status, ofGlobex.isReplay], [200, false], path);
        assert.notEqual(ofGlobex.id, first.id);
        assert.deepEqual(await send(acme), { ...first, isReplay: true });
        assert.deepEqual(await send(globex), { ...ofGlobex, isReplay: true });
        assert.equal((await send(acme, other)).status, 422);
      }
    });

    it('without a known key the answer is 401 and says nothing more', async () => {
      for (const headers of [
        {},
        bearer(''),
        bearer('x'),
        bearer(`${acme}x`),
        bearer(acme.slice(0, -1)),
        bearer(sha256Of(acme)),
        bearer(`${acme} ${acme}`),
        { Authorization: acme },
        { Authorization: `Basic ${acme}` },
        { 'X-Api-Key': 'acme' },
        { 'X-Api-Key': 'k'.repeat(2000) },
        { ...bearer('x'), 'X-Api-Key': acme },
      ]) {
        const answer = await post(headers);
        assert.equal(answer.status, 401, JSON.stringify(headers));
        assert.equal(answer.body, UNAUTHORIZED);
        assert.equal(answer.headers['www-authenticate'], 'Bearer');
      }
    });

    it('the key is checked before anything else of the request', async () => {
      const answer = await postOrder(forebay.url, 'no JSON', { 'Content-Type': 'text/plain' });
      assert.equal(answer.status, 401);
    });

    it('a receipt needs a key; any key will do', async () => {
      const posted = await post(bearer(acme));
      const path = `/orders/${posted.headers['x-order-id']}`;
      const get = (method: string, header = '') =>
        exchange(forebay.url, `${method} ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n`);
      const refused = await get('GET');
      assert.equal(refused.status, 401);
      assert.equal(refused.body, UNAUTHORIZED);
      assert.equal((await get('HEAD')).status, 401);
      assert.equal((await get('GET', `X-Api-Key: ${globex}\r\n`)).status, 200);
    });

    it('a preflight needs no key, and allows the headers that carry one', async () => {
      const answer = await exchange(
        forebay.url,
        'OPTIONS /orders HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n',
      );
      assert.equal(answer.status, 200);
      const allowed = answer.headers['access-control-allow-headers']!.split(', ');
      for (const header of ['authorization', 'x-api-key']) assert.ok(allowed.includes(header));
    });

    it('beyond its own limit a key gets 429 with the fields that say when to retry', async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => post(bearer(slow))));
      const limited = answers.filter(({ status }) => status === 429);
      assert.ok(limited.length > 0);
      for (const { body, headers } of limited) {
        assert.equal(body, '{"result":"rate-limited"}');
        assert.equal(headers['retry-after'], '1');
        assert.equal(headers['ratelimit-policy'], '"key";q=2;w=1');
        assert.equal(headers.ratelimit, '"key";r=0;t=1');
      }
      assert.equal((await post(bearer(acme))).status, 200);
      const count = (outcome: string) =>
        metric(forebay, `forebay_key_responses_total{key="slow",outcome="${outcome}"}`);
      assert.equal(await count('limited'), limited.length);
      assert.equal(await count('accepted'), 12 - limited.length);
      assert.equal(await count('refused'), 0);
    });

    it('the limit of a key counts the orders of a batch, which it admits whole or not', async () => {
      const send = (orders: number) =>
        fetch(`${forebay.url}/orders/batch`, {
          method: 'POST',
          headers: { ...bearer(pair), 'content-type': 'application/x-ndjson' },
          body: `${VALID_BODY}\n`.repeat(orders),
        });
      const never = await send(11);
      assert.equal(never.status, 413);
      assert.equal(((await never.json()) as { ordersMax: number }).ordersMax, 10);
      const answers = await Promise.all(Array.from({ length: 8 }, () => send(6)));
      const limited = answers.filter(({ status }) => status === 429);
      assert.ok(limited.length > 0, 'two of them do not fit into a second');
      for (const { headers } of limited) {
        assert.equal(headers.get('retry-after'), '1');
        assert.equal(headers.get('ratelimit-policy'), '"key";q=10;w=1');
      }
      const unknown = await fetch(`${forebay.url}/orders/batch`, { method: 'POST', body: '' });
      assert.equal(unknown.status, 401);
    });

    it('a changed file is taken up; a broken one is not, and is logged once', async () => {
      const late = newKey();
      write(line('acme', acme), line('late', late));
      await eventually(
        'the new key is known',
        async () => (await post(bearer(late))).status === 200,
      );
      assert.equal((await post(bearer(globex))).status, 401);

      write(line('acme', acme), `late ${late}`);
      const refused = () => forebay.stderr.match(/senders-refused/g)?.length ?? 0;
      await eventually('the broken file is logged', () => refused() > 0);
      assert.equal(await metric(forebay, 'forebay_sender_files_refused'), 1);
      assert.equal((await post(bearer(late))).status, 200);
      assert.match(forebay.stderr, /line 2: the name must be followed by the SHA-256/);
      assert.ok(!forebay.stderr.includes(late), 'the key is not in the log');

      write(line('acme', acme, 1000));
      await eventually('the mended file is in use', async () => {
        return (await post(bearer(late))).status === 401;
      });
      assert.equal(refused(), 1);
      assert.equal((await post(bearer(acme))).status, 200);
    });
  });
}
