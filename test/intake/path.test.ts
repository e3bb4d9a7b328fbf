import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { orderBody } from '../support/orders.js';

const PATHS = ['/v1/webhooks/shop', '/a', '/A%20b/$-_.~!', `/${'x'.repeat(127)}`, '/a'.repeat(64)];

const WRONG = [
  '/',
  'orders',
  '/orders/',
  '//orders',
  '/a//b',
  '/orders?a=b',
  '/orders#a',
  '/orders/:id',
  '/*',
  '/a/*',
  '/.',
  '/a/../b',
  '/a/%2e%2E',
  '/a b',
  '/%',
  '/%2',
  '/%gg',
  '/é',
  `/${'x'.repeat(128)}`,
];

for (const { http, skip } of ENGINES) {
  describe(`--path with --http ${http}`, { skip }, () => {
    for (const path of PATHS) {
      it(`takes orders and answers receipts at ${path}, and nowhere else`, async (t) => {
        const forebay = await startForebay(['--path', path, '--http', http], { owner: t });
        assert.ok(forebay.stdout.includes(` path ${path}\n`), forebay.stdout);
        const accepted = await post(forebay, path);
        assert.equal(accepted.status, 200);
        const id = accepted.headers.get('x-order-id');
        const receipt = await fetch(`${forebay.url}${path}/${id}`);
        assert.equal(receipt.status, 200);
        assert.equal(((await receipt.json()) as { id: string }).id, id);
        for (const elsewhere of ['/orders', `${path}/`, `${path}x`, `${path}/${id}/x`, '/']) {
          assert.equal((await post(forebay, elsewhere)).status, 404, elsewhere);
        }
        const wrongMethod = await fetch(`${forebay.url}${path}`);
        assert.equal(wrongMethod.status, 405);
        assert.equal(wrongMethod.headers.get('allow'), 'POST');
        assert.equal((await post(forebay, `${path}/${id}`)).status, 405);
      });
    }
  });
}

describe('--path', () => {
  it('refuses what is no path of its own, in one line', async () => {
    for (const path of WRONG) {
      for (const command of ['serve', 'check']) {
        const { code, stderr } = await runForebay([command, `--path=${path}`]);
        assert.equal(code, 2, `${command} ${path}`);
        assert.match(stderr, /^forebay: --path .*: must be a path such as \/orders .*\n$/);
      }
    }
  });
});

function post({ url }: ForebayProcess, path: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}${path}`, { method: 'POST', headers, body: orderBody('ann') });
}
