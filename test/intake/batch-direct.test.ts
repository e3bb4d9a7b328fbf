import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { type ForebayProcess, type Owner, startForebay } from '../support/forebay.js';
import { orderBody } from '../support/orders.js';

/** Fails orders whose name begins with `bad`. */
const HANDLER = `export default (orders) =>
  orders.map(({ data }) => (data.username.startsWith('bad') ? 'dead' : 'done'));
`;

async function post(
  { url }: ForebayProcess,
  names: readonly string[],
  headers: Readonly<Record<string, string>> = {},
) {
  const answer = await fetch(`${url}/orders/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body: names.map((name) => (name === '' ? '{}' : orderBody(name))).join('\n'),
  });
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, body, retryAfter: answer.headers.get('retry-after') };
}

async function handlerFile(owner: Owner, source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-batch-direct-'));
  owner.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'handler.mjs');
  await writeFile(file, source);
  return file;
}

it('direct mode: 200 if all orders of a batch were processed, else 503 says which were not', async (t) => {
  const file = await handlerFile(t, HANDLER);
  const flags = ['--mode', 'direct', '--rps-limit', '0', '--threads', '1', '--handler', file];
  const forebay = await startForebay(flags, { owner: t });
  const all = await post(forebay, ['a', 'b', 'c']);
  assert.deepEqual([all.status, all.body.count], [200, 3]);
  const none = await post(forebay, ['bad1', 'bad2']);
  assert.deepEqual([none.status, none.body], [503, { result: 'busy' }]);
  const some = await post(forebay, ['a', 'bad1', 'b', 'bad2']);
  assert.deepEqual([some.status, some.retryAfter], [503, '1']);
  const { id } = some.body;
  assert.deepEqual(some.body, { result: 'busy', id, count: 2, failed: [1, 3] });
  const lenient = await post(forebay, ['a', '', 'bad', 'b'], { prefer: 'handling=lenient' });
  assert.equal(lenient.status, 200);
  assert.deepEqual([lenient.body.count, lenient.body.failed, lenient.body.refused], [2, [2], [1]]);
  const invalid = await post(forebay, ['a', '']);
  assert.equal(invalid.status, 400);
});

it('each order of a batch has the headers that are kept', async (t) => {
  const source = `export default (orders) =>
    orders.map(({ headers }) => (headers['x-shop'] === 'a\\tb' ? 'done' : 'dead'));`;
  const flags = [
    '--mode',
    'direct',
    '--rps-limit',
    '0',
    '--threads',
    '1',
    '--keep-headers',
    'x-shop',
  ];
  const forebay = await startForebay([...flags, '--handler', await handlerFile(t, source)], {
    owner: t,
  });
  const kept = await post(forebay, ['a', 'b', 'c'], { 'x-shop': 'a\tb' });
  assert.deepEqual([kept.status, kept.body.count], [200, 3]);
  assert.equal((await post(forebay, ['a', 'b'])).status, 503);
});
