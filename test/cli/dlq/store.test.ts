import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { decodeDeadLetter, encodeDeadLetter } from '../../../src/journal/frame/dead-letter.js';
import { LocalDeadLetters } from '../../../src/journal/local/dead-letters.js';
import { LocalSource } from '../../../src/journal/local/source.js';
import { storedMessages } from '../../../src/journal/nats/stream-reader.js';
import { putDeadLetter } from '../../../src/journal/store/dead-letter-rows.js';
import { LocalStore } from '../../../src/journal/store/local-store.js';
import type { StoredDeadLetter } from '../../../src/model/dead-letters.js';
import { NOTHING, newFrameId, take } from '../../journal/frames.js';
import { NATS_VERSIONS, NatsServer } from '../../support/nats.js';
import { eventually, metric, orderBody } from '../../support/orders.js';
import { suiteOwner } from '../../support/reverse-owner.js';
import { Shop } from './shop.js';

const KEY = Buffer.from('key');
const ORIGIN = '01K3V6GQ7M8ZQW4T9XB2C00000';

function letter(index: number, more: Partial<StoredDeadLetter> = {}): StoredDeadLetter {
  const body = Buffer.from(orderBody(`user ${index}`));
  const times = { firstAtMs: Date.now() - 5000, lastAtMs: Date.now() };
  return { orderId: `${ORIGIN}-${index}`, reason: 'r', attempts: 5, ...times, body, ...more };
}

describe('the record of a dead letter in the local journal', () => {
  it('is decoded as it was encoded, with any reason', () => {
    for (const reason of ['', 'ünï', '","body":', '{"body":"x"}', 'two\nlines', '\u0000\\"']) {
      const one = letter(1, { reason });
      const read = decodeDeadLetter(one.orderId, encodeDeadLetter(one, KEY), KEY);
      assert.deepEqual({ ...read, body: Buffer.from(read.body) }, one);
    }
  });

  it('is refused if a part is missing', () => {
    const whole = encodeDeadLetter(letter(1), KEY);
    for (let length = 0; length < whole.indexOf('"body"') + 7; length++) {
      assert.throws(() => decodeDeadLetter(`${ORIGIN}-1`, whole.subarray(0, length), KEY));
    }
    for (const id of ['', ORIGIN, `${ORIGIN}-`, `${ORIGIN}-x`, 'a b-1']) {
      assert.throws(() => decodeDeadLetter(id, whole, KEY), /order id/);
    }
    const twoLines = letter(1, { body: Buffer.from('{\n}') });
    assert.throws(
      () => decodeDeadLetter(`${ORIGIN}-1`, encodeDeadLetter(twoLines, KEY), KEY),
      /one line/,
    );
  });
});

describe('the local journal', () => {
  it('counts orders that another process replays as pending, exactly', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'forebay-dlq-'));
    const log = console.error;
    const source = new LocalSource(new LocalStore(folder), {
      newFrameId,
      acceptedOrders: () => 0,
      retryMsMax: 60_000,
      log,
    });
    const store = new LocalStore(folder);
    const letters = new LocalDeadLetters(store, { newFrameId, log });
    t.after(async () => {
      await letters.close();
      await source.close();
      rmSync(folder, { recursive: true });
    });
    await source.counted;
    await store.write(() => {
      for (let i = 0; i < 600; i++) {
        const one = letter(i);
        putDeadLetter(store, one);
      }
    });
    assert.equal(source.deadLetters(), 600);
    assert.equal(source.pendingOrders(), 0);
    const listed = [];
    for await (const { orderId } of letters.list()) {
      listed.push(orderId);
      // Deleted behind the reader, page by page.
      await letters.drop(orderId);
    }
    assert.equal(new Set(listed).size, 600);
    assert.equal(source.deadLetters(), 0);
    await store.write(() => {
      for (let i = 0; i < 3; i++) {
        const one = letter(i);
        putDeadLetter(store, one);
      }
    });
    const ids = [0, 1, 1, 2, 7].map((i) => `${ORIGIN}-${i}`);
    const replayed = await Promise.all(ids.map((id) => letters.replay(id, '')));
    assert.deepEqual(replayed, [true, true, false, true, false]);
    assert.equal(source.pendingOrders(), 3);
    for (const delivery of await take(source, 3)) await delivery.settle(NOTHING);
    assert.equal(source.pendingOrders(), 0);
    assert.equal(await letters.find(`${ORIGIN}-0`), null);
  });
});

for (const version of NATS_VERSIONS) {
  describe(`JetStream, ${version}`, () => {
    const owner = suiteOwner();
    let shop: Shop;
    before(async () => {
      shop = await Shop.open(owner, version);
    });

    it('a replay that was stopped before its dead letter was deleted makes no second order', async () => {
      await shop.repair();
      const one = letter(3);
      for (let round = 0; round < 3; round++) {
        await shop.file(one);
        assert.equal((await shop.dlq('replay', '--all')).stdout, 'replayed 1, invalid 0, gone 0\n');
        await shop.done(1);
      }
      assert.deepEqual(await shop.timesById(), new Map([[one.orderId, 1]]));
    });

    it('an order has one dead letter at most, the last one', async () => {
      await shop.reset();
      await shop.file(letter(1, { reason: 'earlier' }));
      await shop.file(letter(1, { reason: 'later' }));
      assert.deepEqual(
        (await shop.letters()).map(({ reason }) => reason),
        ['later'],
      );
    });

    it('replayed orders count as pending', async (t) => {
      const undrained = await Shop.open(t, version, ['--drain', 'off']);
      for (let i = 0; i < 3; i++) await undrained.file(letter(i));
      assert.equal(
        (await undrained.dlq('replay', '--all')).stdout,
        'replayed 3, invalid 0, gone 0\n',
      );
      await eventually(
        'three are pending',
        async () => (await metric(undrained.forebay, 'forebay_journal_pending_orders')) === 3,
      );
    });

    it('a stream is read to its end even if the server forgets the consumer', async (t) => {
      const server = await NatsServer.start({ version });
      t.after(() => server.stop());
      const nc = await connect({ servers: server.url });
      t.after(() => nc.close());
      const manager = await jetstreamManager(nc);
      await manager.streams.add({ name: 'S', subjects: ['s.>'] });
      for (let i = 0; i < 700; i++) await jetstream(nc).publish(`s.${i}`);
      await manager.streams.deleteMessage('S', 5);
      const seqs: number[] = [];
      for await (const { seq } of storedMessages(nc, 'S')) {
        seqs.push(seq);
        if (seq % 100 !== 0) continue;
        for await (const { name } of manager.consumers.list('S')) {
          await manager.consumers.delete('S', name);
        }
      }
      const all = Array.from({ length: 700 }, (_, i) => i + 1).filter((seq) => seq !== 5);
      assert.deepEqual(seqs, all);
    });
  });
}
