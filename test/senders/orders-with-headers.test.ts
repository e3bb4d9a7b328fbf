import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { keyLine, newKey, sha256Of } from '../../src/senders/key-file.js';
import { type Owner, runForebay, startForebay } from '../support/forebay.js';
import { NATS_VERSIONS, NatsServer } from '../support/nats.js';
import { eventually } from '../support/orders.js';
import { postOrder } from '../support/raw-http.js';
import { RecordingHandler } from './recording-handler.js';

const DEAD = '{"product_id":"33","count":"3","username":"dead"}';
const EVENT = { 'X-GitHub-Event': 'push "x"' };
const KEPT = { 'x-github-event': 'push "x"' };

async function started(owner: Owner, flags: readonly string[]) {
  const handler = new RecordingHandler();
  owner.after(async () => handler.remove());
  const data = join(handler.folder, 'data');
  const all = ['--handler', handler.file, ...flags];
  return { handler, data, forebay: await startForebay(all, { owner, data }) };
}

for (const journal of ['local', NATS_VERSIONS[0]!] as const) {
  describe(`orders with kept headers, ${journal}`, () => {
    it('keep them as dead letters, and get them back at a replay', async (t) => {
      const nats = journal === 'local' ? null : await NatsServer.start({ version: journal });
      t.after(async () => nats?.stop());
      const at = nats === null ? [] : ['--nats', nats.url];
      const { handler, data, forebay } = await started(t, [
        ...at,
        ...['--keep-headers', 'x-github-event', '--retry-ms-min', '10'],
      ]);
      const dlq = (...args: string[]) => runForebay(['dlq', ...args, '--data', data, ...at]);
      const answer = await postOrder(forebay.url, DEAD, EVENT);
      const id = answer.headers['x-order-id']!;
      const listed = async () => (await dlq('list', '--json')).stdout;
      await eventually('it is a dead letter', async () => (await listed()).includes(id));
      const letter = JSON.parse(await listed()) as { headers: unknown; body: string };
      assert.deepEqual(letter.headers, KEPT);
      assert.equal(letter.body, DEAD);
      const shown = (await dlq('show', id)).stdout;
      assert.match(shown, /^headers +\{"x-github-event":"push \\"x\\""\}$/m);
      assert.ok(shown.endsWith(`${DEAD}\n`));
      handler.heals();
      const replayed = await dlq('replay', id);
      assert.match(replayed.stdout, /replayed 1, invalid 0/);
      await eventually('the handler gets it again', () => handler.orders.length === 2);
      for (const order of handler.orders) {
        assert.deepEqual(order.headers, KEPT);
        assert.equal(order.id, id);
      }
      assert.equal(await forebay.stop(), 0);
    });
  });
}

describe('kept headers and keys', () => {
  it('work in direct mode, and with the intake in the main thread', async (t) => {
    const keys = (...lines: string[]) => writeFileSync(file, lines.join('\n'));
    const folder = mkdtempSync(join(tmpdir(), 'senders-direct-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'keys');
    const key = newKey();
    keys(keyLine({ name: 'first', sha256: sha256Of(newKey()), rps: 0 }));
    const { handler, forebay } = await started(t, [
      ...['--mode', 'direct', '--threads', '0', '--rps-limit', '0'],
      ...['--keep-headers', 'x-github-event', '--api-keys', file],
    ]);
    const send = () =>
      postOrder(forebay.url, DEAD.replace('dead', 'me'), { ...EVENT, 'X-Api-Key': key });
    assert.equal((await send()).status, 401);
    keys(keyLine({ name: 'second', sha256: sha256Of(key), rps: 1000 }));
    await eventually('the key is known', async () => (await send()).status === 200);
    assert.deepEqual(
      handler.orders.map(({ headers }) => headers),
      [KEPT],
    );
    assert.equal(await forebay.stop(), 0);
  });
});

describe('the key in the body', () => {
  it('of any JSON object: repeated events get the first answer', async (t) => {
    const { handler, forebay } = await started(t, [
      ...['--schema', 'true', '--idempotency-from', '/data/id', '--keep-headers', 'x-github-event'],
    ]);
    const send = (body: string) => postOrder(forebay.url, body, EVENT);
    const first = await send('{"data":{"id":12345678901234567890,"a":1.50}}');
    assert.equal(first.status, 200);
    for (const body of [
      '{ "data" : { "id": 12345678901234567890, "a": 1.50 } }',
      '{"data":{"a":1.50,"id":12345678901234567890}}',
    ]) {
      const again = await send(body);
      assert.equal(again.headers['x-order-id'], first.headers['x-order-id'], body);
      assert.equal(again.headers['idempotent-replay'], 'true');
    }
    const other = await send('{"data":{"id":12345678901234567891,"a":1.50}}');
    assert.notEqual(other.headers['x-order-id'], first.headers['x-order-id']);
    assert.equal((await send('{"data":{"id":12345678901234567890,"a":2}}')).status, 422);
    assert.equal((await send('{"data":{"id":"12345678901234567890","a":2}}')).status, 200);
    for (const body of ['{}', '{"data":{}}', '{"data":{"id":""}}', '{"data":{"id":null}}']) {
      const answer = await send(body);
      assert.equal(answer.status, 400, body);
      assert.equal(answer.headers['x-invalid'], 'idempotency-from');
    }
    await eventually('the handler has three', () => handler.orders.length === 3);
    for (const { headers } of handler.orders) assert.deepEqual(headers, KEPT);
    assert.equal(await forebay.stop(), 0);
  });

  it('of concurrent deliveries makes one order', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'senders-schema-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const schema = join(folder, 'event.json');
    writeFileSync(
      schema,
      '{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}',
    );
    const { handler, forebay } = await started(t, [
      '--schema',
      schema,
      '--idempotency-from',
      '/id',
    ]);
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => postOrder(forebay.url, '{"id":"evt_1","n":1}')),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(answers.map(({ headers }) => headers['x-order-id'])).size, 1);
    assert.equal(await forebay.stop(), 0);
    assert.equal(handler.orders.length, 1);
  });
});
