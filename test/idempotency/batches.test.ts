import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { ledgerHandler } from '../drain/handlers.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, orderBody } from '../support/orders.js';

interface Answer {
  readonly status: number;
  readonly id: string;
  readonly count: number;
  readonly isReplay: boolean;
}

async function postBatch(
  { url }: ForebayProcess,
  orders: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const answer = await fetch(`${url}/orders/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body: orders.join('\n'),
  });
  const { id = '', count = 0 } = (await answer.json()) as Partial<Answer>;
  const isReplay = answer.headers.get('idempotent-replay') === 'true';
  return { status: answer.status, id, count, isReplay };
}

const batchOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => orderBody(`${name}.${i}`));
const keyed = (key: string) => ({ 'idempotency-key': key });
const BAD = '{"count":"1"}';

for (const { http, skip } of ENGINES) {
  it(`the key of a batch gives its first answer again, --http ${http}`, { skip }, async (t) => {
    const forebay = await startForebay(['--http', http, '--threads', '1'], { owner: t });
    const batch = batchOf('a', 12);
    const first = await postBatch(forebay, batch, keyed('a'));
    assert.deepEqual([first.status, first.count, first.isReplay], [200, 12, false]);
    const spelt = batch.map((order) => {
      const { product_id, count, username } = JSON.parse(order) as Record<string, string>;
      return ` {"username":"${username!.replace('a', '\\u0061')}", "count":"${count}","product_id":"${product_id}"}`;
    });
    for (const again of [batch, spelt]) {
      assert.deepEqual(await postBatch(forebay, again, keyed('a')), { ...first, isReplay: true });
    }
    for (const other of [
      batch.slice(1),
      batch.toReversed(),
      [...batch, batch[0]!],
      batch.slice(0, 1),
    ]) {
      assert.equal((await postBatch(forebay, other, keyed('a'))).status, 422);
    }
    const invalid = await postBatch(forebay, [...batch, BAD], keyed('a'));
    assert.equal(invalid.status, 400, 'an invalid batch does not ask for its key');
    const lenient = { ...keyed('a'), prefer: 'handling=lenient' };
    const kept = await postBatch(forebay, [BAD, ...batch], lenient);
    assert.deepEqual(kept, { ...first, isReplay: true }, 'what is kept is the same');
  });
}

it('a batch of one order and that order are different with the same key', async (t) => {
  const forebay = await startForebay(['--threads', '1'], { owner: t });
  await postBatch(forebay, batchOf('one', 1), keyed('k'));
  const single = await fetch(`${forebay.url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...keyed('k') },
    body: orderBody('one.0'),
  });
  assert.equal(single.status, 422);
});

it('with --idempotency-from and a pointer, a batch must have the header', async (t) => {
  const flags = ['--threads', '1', '--idempotency-from', '/username'];
  const forebay = await startForebay(flags, { owner: t });
  assert.equal((await postBatch(forebay, batchOf('a', 3))).status, 400);
  const first = await postBatch(forebay, batchOf('a', 3), keyed('a'));
  const again = await postBatch(forebay, batchOf('a', 3), keyed('a'));
  assert.deepEqual([first.status, again.id, again.isReplay], [200, first.id, true]);
});

it('batches with the same key at the same time are one batch', async (t) => {
  const forebay = await startForebay(['--threads', '1'], { owner: t });
  const all = await Promise.all(
    Array.from({ length: 20 }, () => postBatch(forebay, batchOf('same', 5), keyed('same'))),
  );
  assert.equal(new Set(all.map(({ id }) => id)).size, 1);
  assert.equal(all.filter(({ isReplay }) => !isReplay).length, 1);
});

/** Names of the orders that were processed, by batch. */
function byBatch(names: readonly string[]): Map<string, Set<string>> {
  const batches = new Map<string, Set<string>>();
  for (const name of names) {
    const [batch, index] = name.split('.') as [string, string];
    batches.set(batch, (batches.get(batch) ?? new Set()).add(index));
  }
  return batches;
}

for (const journal of ['local', 'JetStream'] as const) {
  it(`after kill -9 each batch is there whole or not at all, with its key: ${journal}`, async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'forebay-batches-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    const handler = await ledgerHandler(t);
    const nats = journal === 'local' ? null : await NatsServer.start();
    if (nats !== null) t.after(() => nats.stop());
    const flags = ['--threads', '1', '--handler', handler.file, '--drain-rate', '0'];
    const at = nats === null ? [] : ['--nats', nats.url, '--spool-orders-max', '0'];
    const SIZE = 20;
    const answers = new Map<string, Answer>();
    for (let life = 0; life < 3; life++) {
      let forebay = await startForebay([...flags, ...at], { owner: t, data });
      // On a busy machine NATS may not answer in time for the keys of the last seconds, which the log says.
      while (forebay.stderr.includes('keys-unknown')) {
        await forebay.kill9();
        forebay = await startForebay([...flags, ...at], { owner: t, data });
      }
      for (const [name, before] of answers) {
        const again = await postBatch(forebay, batchOf(name, SIZE), keyed(name));
        assert.deepEqual(
          [again.id, again.isReplay],
          [before.id, true],
          `${name}\n${forebay.stderr}`,
        );
      }
      const kill = 30 + 20 * life;
      let answered = 0;
      const clients = Array.from({ length: 8 }, async (_, client) => {
        for (let i = 0; answered < kill; i++) {
          const name = `${life}-${client}-${i}`;
          const answer = await postBatch(forebay, batchOf(name, SIZE), keyed(name)).catch(
            () => null,
          );
          if (answer === null) return;
          assert.equal(answer.status, 200);
          answers.set(name, answer);
          if (++answered === kill) await forebay.kill9();
        }
      });
      await Promise.all(clients);
    }
    const forebay = await startForebay([...flags, ...at], { owner: t, data });
    let seen = new Map<string, Set<string>>();
    await eventually('all are processed', async () => {
      seen = byBatch((await handler.lines()).map(({ username }) => username));
      return [...answers.keys()].every((name) => seen.get(name)?.size === SIZE);
    });
    await eventually('nothing is left', async () => {
      const metrics = await (await fetch(`${forebay.adminUrl}/metrics`)).text();
      return /^forebay_journal_pending_orders 0$/m.test(metrics);
    });
    const lines = await handler.lines();
    seen = byBatch(lines.map(({ username }) => username));
    for (const [name, orders] of seen) assert.equal(orders.size, SIZE, `${name} is there in part`);
    const ids = new Map(lines.map(({ id, username }) => [username, id]));
    for (const [name, { id }] of answers) {
      const [frameId, first] = id.split('-');
      for (let i = 0; i < SIZE; i++) {
        assert.equal(ids.get(`${name}.${i}`), `${frameId}-${Number(first) + i}`);
      }
    }
    assert.equal(await forebay.stop(), 0);
  });
}
