import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { orderBody } from '../support/orders.js';

/** Fails orders whose name begins with `bad`. */
const HANDLER = `export default (orders) =>
  orders.map(({ data }) => (data.username.startsWith('bad') ? 'dead' : 'done'));
`;

async function post({ url }: ForebayProcess, names: readonly string[], prefer = '') {
  const answer = await fetch(`${url}/orders/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...(prefer === '' ? {} : { prefer }) },
    body: names.map((name) => (name === '' ? '{}' : orderBody(name))).join('\n'),
  });
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, body, retryAfter: answer.headers.get('retry-after') };
}

it('direct mode: 200 if all orders of a batch were processed, else 503 says which were not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-batch-direct-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'handler.mjs');
  await writeFile(file, HANDLER);
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
  const lenient = await post(forebay, ['a', '', 'bad', 'b'], 'handling=lenient');
  assert.equal(lenient.status, 200);
  assert.deepEqual([lenient.body.count, lenient.body.failed, lenient.body.refused], [2, [2], [1]]);
  const invalid = await post(forebay, ['a', '']);
  assert.equal(invalid.status, 400);
});
