import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ledgerHandler } from '../drain/handlers.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

interface Shop {
  readonly nats: NatsServer;
  readonly forebay: ForebayProcess;
  readonly client: OrderClient;
  /** The usernames that the handler got, in order, with repeats. */
  readonly processed: () => Promise<string[]>;
}

const DONE = 'work_done_total{status="done"}';
const SPOOLED = 'forebay_spooled_orders_total';
/** A busy machine may hold up an order for longer than the default of a second. */
const PATIENT = ['--commit-ms-max', '4000'];

async function openShop(
  t: TestContext,
  version: NatsVersion,
  flags: readonly string[] = [],
): Promise<Shop> {
  const nats = await NatsServer.start({ version });
  t.after(() => nats.stop());
  const ledger = await ledgerHandler(t);
  const all = [
    '--nats',
    nats.url,
    '--handler',
    ledger.file,
    '--workers',
    '1',
    ...PATIENT,
    ...flags,
  ];
  const forebay = await startForebay(all, { owner: t });
  const client = new OrderClient(forebay.url);
  t.after(() => client.close());
  const processed = async () => (await ledger.lines()).map(({ username }) => username);
  return { nats, forebay, client, processed };
}

/** Posts orders, a few milliseconds apart, until stopped; returns the answers by username. */
function postOn(client: OrderClient, stem: string) {
  const answers = new Map<string, number>();
  let isOver = false;
  const posting = (async () => {
    const posts: Promise<unknown>[] = [];
    for (let i = 0; !isOver; i++) {
      const username = `${stem}-${i}`;
      posts.push(client.post(username).then(({ status }) => answers.set(username, status)));
      await sleep(5);
    }
    await Promise.all(posts);
  })();
  return {
    /** Waits until so many more orders have been answered. */
    more: (orders: number) => {
      const wanted = answers.size + orders;
      return eventually(`${orders} more are answered`, () => answers.size >= wanted);
    },
    stop: async () => {
      isOver = true;
      await posting;
      return answers;
    },
  };
}

/** Waits until so many more orders went to the spool. */
async function spooled(forebay: ForebayProcess, orders: number): Promise<void> {
  const wanted = (await metric(forebay, SPOOLED)) + orders;
  await eventually(
    `${orders} more are in the spool`,
    async () => (await metric(forebay, SPOOLED)) >= wanted,
  );
}

async function assertEachOnce(shop: Shop, answers: ReadonlyMap<string, number>): Promise<void> {
  const others = [...answers].filter(([, status]) => status !== 200);
  assert.deepEqual(others, []);
  const done = () => metric(shop.forebay, DONE);
  await eventually('all are done', async () => (await done()) >= answers.size);
  assert.deepEqual((await shop.processed()).toSorted(), [...answers.keys()].toSorted());
  await eventually('the spool is empty', async () => {
    return (await metric(shop.forebay, 'forebay_spool_orders')) === 0;
  });
}

for (const version of NATS_VERSIONS) {
  describe(`failover, ${version}`, () => {
    test('killed and restarted: only 200, each order processed once, the spool emptied', async (t) => {
      const shop = await openShop(t, version);
      const posting = postOn(shop.client, 'kill');
      await posting.more(50);
      await shop.nats.kill();
      await spooled(shop.forebay, 100);
      await shop.nats.start();
      await posting.more(100);
      await assertEachOnce(shop, await posting.stop());
      assert.equal(await shop.forebay.stop(), 0);
    });

    test('frozen three times: only 200, and no order is processed twice despite ambiguous acks', async (t) => {
      const shop = await openShop(t, version);
      const posting = postOn(shop.client, 'freeze');
      await posting.more(30);
      for (let round = 0; round < 3; round++) {
        shop.nats.freeze();
        await spooled(shop.forebay, 50);
        shop.nats.thaw();
        await posting.more(100);
      }
      await assertEachOnce(shop, await posting.stop());
      assert.equal(await shop.forebay.stop(), 0);
    });

    test('full: the spool takes what the stream refuses, and empties when there is space', async (t) => {
      const shop = await openShop(t, version, ['--drain', 'off']);
      const nc = await connect({ servers: shop.nats.url });
      t.after(() => nc.close());
      const { streams } = await jetstreamManager(nc);
      await streams.update('FOREBAY', { max_msgs: 3 });
      for (let i = 0; i < 10; i++) {
        assert.equal((await shop.client.post(`full-${i}`)).status, 200);
      }
      await eventually(
        'the spool has them',
        async () => (await metric(shop.forebay, 'forebay_spool_orders')) === 7,
      );
      await streams.update('FOREBAY', { max_msgs: -1 });
      await eventually(
        'the spool is empty',
        async () => (await metric(shop.forebay, 'forebay_spool_orders')) === 0,
      );
      assert.equal((await streams.info('FOREBAY')).state.messages, 10);
      await eventually(
        'all are pending',
        async () => (await metric(shop.forebay, 'forebay_journal_pending_orders')) === 10,
      );
      assert.equal(await shop.forebay.stop(), 0);
    });
  });
}

describe('the spool', () => {
  test('is bounded: 503 above --spool-orders-max, and 200 again once it is forwarded', async (t) => {
    const shop = await openShop(t, 'nats-server', ['--spool-orders-max', '20']);
    await shop.nats.kill();
    let refused = 0;
    await eventually('it is full', async () => {
      refused += (await shop.client.post('bound')).status === 503 ? 1 : 0;
      return refused > 0;
    });
    await eventually('/readyz says why', async () => {
      const ready = await fetch(`${shop.forebay.adminUrl}/readyz`);
      return ready.status === 503 && /--spool-orders-max/.test(await ready.text());
    });
    const spooled = await metric(shop.forebay, 'forebay_spool_orders');
    assert.ok(spooled >= 20, `${spooled}`);
    await shop.nats.start();
    await eventually('it takes orders', async () => (await shop.client.post('on')).status === 200);
    await eventually(
      'it is empty',
      async () => (await metric(shop.forebay, 'forebay_spool_orders')) === 0,
    );
    assert.equal(await shop.forebay.stop(), 0);
  });

  test('survives a kill of Forebay: its orders are forwarded after the next start', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'forebay-spool-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    const shop = await openShop(t, 'nats-server', ['--data', data]);
    await shop.nats.kill();
    const names = Array.from({ length: 50 }, (_, i) => `outlive-${i}`);
    for (const { status } of await shop.client.postAll(names)) assert.equal(status, 200);
    const ledger = await ledgerHandler(t);
    await shop.forebay.kill9();
    const flags = ['--nats', shop.nats.url, '--handler', ledger.file, '--data', data];
    const again = await startForebay(flags, { owner: t });
    assert.equal(await metric(again, 'forebay_spool_orders'), 50);
    await shop.nats.start();
    await eventually('all are done', async () => (await metric(again, DONE)) === 50);
    const processed = (await ledger.lines()).map(({ username }) => username);
    assert.deepEqual(processed.toSorted(), names.toSorted());
    assert.equal(await again.stop(), 0);
  });

  test('is forwarded at --spool-rate at most', async (t) => {
    const shop = await openShop(t, 'nats-server', ['--spool-rate', '100']);
    await shop.nats.kill();
    for (let i = 0; i < 200; i++) assert.equal((await shop.client.post(`rate-${i}`)).status, 200);
    await shop.nats.start();
    const forwarded = () => metric(shop.forebay, 'forebay_spool_forwarded_orders_total');
    await eventually('it begins', async () => (await forwarded()) > 0);
    // The clock is read before the first count and after the second, so that no wait for a count counts against the rate.
    const startedMs = performance.now();
    const before = await forwarded();
    await sleep(1000);
    const count = (await forwarded()) - before;
    const most = ((performance.now() - startedMs) / 1000) * 100 + 32;
    assert.ok(count <= most, `${count}, at most ${most}`);
    await eventually('it ends', async () => (await forwarded()) === 200);
    assert.equal(await shop.forebay.stop(), 0);
  });
});
