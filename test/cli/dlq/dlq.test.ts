import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { eventually, metric, orderBody } from '../../support/orders.js';
import { suiteOwner } from '../../support/reverse-owner.js';
import { JOURNALS, names, Shop } from './shop.js';

for (const kind of JOURNALS) {
  describe(`dlq on ${kind}`, () => {
    const owner = suiteOwner();
    let shop: Shop;
    before(async () => {
      shop = await Shop.open(owner, kind);
    });
    beforeEach(() => shop.reset());

    it('lists and shows failed orders, byte for byte', async () => {
      assert.match((await shop.dlq('list')).stdout, /^no dead letters\n$/);
      assert.deepEqual(await shop.letters(), []);
      const ids = await shop.fail(['alpha ünï', 'beta 1', 'beta 2']);
      const letters = await shop.letters();
      assert.deepEqual(new Set(letters.map(({ id }) => id)), new Set(ids.values()));
      const alpha = letters.find(({ id }) => id === ids.get('alpha ünï'))!;
      assert.equal(alpha.body, orderBody('alpha ünï'));
      assert.match(alpha.reason, /alpha/);
      assert.equal(alpha.attempts, 1);
      assert.ok(Date.parse(alpha.firstAt) <= Date.parse(alpha.lastAt));

      const table = await shop.dlq('list');
      assert.equal(table.code, 0);
      for (const id of ids.values())
        assert.match(table.stdout, new RegExp(`^${id} .*Z .*\\{`, 'm'));
      assert.match(table.stdout, /^3 dead letters$/m);
      const two = await shop.dlq('list', '--reason', 'beta', '--limit', '1');
      assert.match(two.stdout, /^1 dead letter shown, there are more$/m);

      const shown = await shop.dlq('show', alpha.id);
      assert.equal(shown.code, 0);
      assert.ok(shown.stdout.endsWith(`\n${orderBody('alpha ünï')}\n`), shown.stdout);
      assert.ok(shown.stdout.includes(alpha.reason));
      const unknown = await shop.dlq('show', `${alpha.id}9`);
      assert.equal(unknown.code, 1);
      assert.equal(unknown.stderr, `no dead letter ${alpha.id}9\n`);
      assert.equal(await metric(shop.forebay, 'forebay_dead_letters_max'), 1_000_000);
    });

    it('a replayed order is processed once, with its id, as a first attempt', async () => {
      const ids = await shop.fail(names(30));
      await shop.repair();
      const replayed = await shop.dlq('replay', '--all');
      assert.equal(replayed.stdout, 'replayed 30, invalid 0, gone 0\n', replayed.stderr);
      assert.equal(replayed.code, 0);
      await shop.done(30);
      assert.deepEqual(await shop.timesById(), new Map([...ids.values()].map((id) => [id, 2])));
      const lines = await shop.handler.lines();
      for (const line of lines) {
        assert.equal(line.id, ids.get(line.username));
        assert.equal(line.attempt, 1);
      }
      assert.deepEqual(await shop.letters(), []);
    });

    it('an order that fails again becomes a dead letter again, with its new time', async () => {
      const [id] = [...(await shop.fail(['alpha 1'])).values()];
      const [before] = await shop.letters();
      for (let round = 0; round < 2; round++) {
        const dead = await metric(shop.forebay, 'forebay_dead_total');
        assert.equal((await shop.dlq('replay', id!)).stdout, 'replayed 1, invalid 0, gone 0\n');
        await eventually(
          'it is dead again',
          async () => (await metric(shop.forebay, 'forebay_dead_total')) > dead,
        );
      }
      const [after, ...more] = await shop.letters();
      assert.deepEqual(more, []);
      assert.equal(after!.id, id);
      assert.equal(after!.firstAt, before!.firstAt);
      assert.ok(after!.lastAt > before!.lastAt, `${after!.lastAt} after ${before!.lastAt}`);
      assert.equal((await shop.handler.lines()).length, 3);
    });

    it('with two replays at once, each order is processed once', async () => {
      const ids = await shop.fail(names(400));
      await shop.repair();
      const ends = await Promise.all([
        shop.dlqProcess('replay', '--all'),
        shop.dlqProcess('replay', '--all'),
      ]);
      for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
      await shop.done(400);
      assert.equal((await shop.dlq('replay', '--all')).stdout, 'replayed 0, invalid 0, gone 0\n');
      assert.deepEqual(await shop.timesById(), new Map([...ids.values()].map((id) => [id, 2])));
    });

    it('a dry run prints what it would do and changes nothing', async () => {
      const ids = await shop.fail(names(5));
      const before = await shop.letters();
      const replayed = await shop.dlq('replay', '--all', '--dry-run');
      assert.match(replayed.stdout, /^would replay 5, invalid 0, gone 0$/m);
      const dropped = await shop.dlq('drop', '--all', '--dry-run');
      assert.match(dropped.stdout, /^would drop 5, gone 0$/m);
      for (const id of ids.values()) {
        assert.match(replayed.stdout, new RegExp(`^would replay ${id}$`, 'm'));
        assert.match(dropped.stdout, new RegExp(`^would drop ${id}$`, 'm'));
      }
      assert.deepEqual(await shop.letters(), before);
      assert.equal((await shop.handler.lines()).length, 5);
    });

    it('a reason selects the dead letters that contain it', async () => {
      const ids = await shop.fail([...names(4, 'alpha'), ...names(3, 'beta')]);
      const dropped = await shop.dlq('drop', '--reason', 'beta');
      assert.equal(dropped.stdout, 'dropped 3, gone 0\n');
      await shop.repair();
      const none = await shop.dlq('replay', '--reason', 'no such text');
      assert.equal(none.stdout, 'replayed 0, invalid 0, gone 0\n');
      const replayed = await shop.dlq('replay', '--reason', 'alpha');
      assert.equal(replayed.stdout, 'replayed 4, invalid 0, gone 0\n');
      await shop.done(4);
      const times = await shop.timesById();
      for (const [name, id] of ids) {
        const isDone = name.startsWith('alpha');
        assert.ok(isDone ? times.get(id)! >= 2 : times.get(id)! >= 1, name);
      }
      assert.deepEqual(await shop.letters(), []);
    });

    it('drops the ids given, reports unknown ids, and requires --yes for all', async () => {
      const [first, second] = [...(await shop.fail(names(4))).values()];
      const dropped = await shop.dlq('drop', first!, 'no-such-1', second!);
      assert.equal(dropped.stdout, 'dropped 2, gone 1\n');
      assert.equal(dropped.stderr, 'no dead letter no-such-1\n');
      assert.equal(dropped.code, 1);
      const again = await shop.dlq('replay', first!);
      assert.equal(again.stdout, 'replayed 0, invalid 0, gone 1\n');
      assert.equal(again.stderr, `no dead letter ${first}\n`);
      assert.equal(again.code, 1);
      const refused = await shop.dlq('drop', '--all');
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /^forebay: dlq drop: .*--yes.*\n$/);
      assert.equal((await shop.letters()).length, 2);
      assert.equal((await shop.dlq('drop', '--all', '--yes')).stdout, 'dropped 2, gone 0\n');
      assert.deepEqual(await shop.letters(), []);
    });

    it('keeps orders that are now invalid, skips unreadable dead letters, and reports both', async () => {
      await shop.repair();
      const origin = '01K3V6GQ7M8ZQW4T9XB2C00000';
      const letter = {
        reason: 'r',
        attempts: 5,
        firstAtMs: Date.now() - 9000,
        lastAtMs: Date.now(),
      };
      const bad = Buffer.from('{"product_id":"101","count":"3","username":"a"}');
      await shop.file({ ...letter, orderId: `${origin}-0`, body: Buffer.from(orderBody('good')) });
      await shop.file({ ...letter, orderId: `${origin}-1`, body: bad });
      await shop.fileMalformed(`${origin}-2`);
      const { code, stdout, stderr } = await shop.dlq('replay', '--all');
      assert.equal(stdout, 'replayed 1, invalid 1, gone 0\n');
      assert.equal(code, 1);
      assert.match(
        stderr,
        new RegExp(`^${origin}-1 is invalid by the current rules \\(/product_id pattern\\)`, 'm'),
      );
      assert.match(stderr, new RegExp(`^dead letter ${origin}-2 cannot be read: `, 'm'));
      assert.equal(stderr.trimEnd().split('\n').length, 2);
      await shop.done(1);
      const [line] = await shop.handler.lines();
      assert.equal(line!.id, `${origin}-0`);
      assert.deepEqual(
        (await shop.letters()).map(({ id, body }) => [id, body]),
        [[`${origin}-1`, bad.toString()]],
      );
      const dropped = await shop.dlq('drop', `${origin}-2`, `${origin}-1`);
      assert.equal(dropped.stdout, 'dropped 2, gone 0\n', dropped.stderr);
      assert.equal((await shop.dlq('list')).stderr, '');
    });

    it('works while the server is stopped: the next start processes the replayed orders', async () => {
      const ids = await shop.fail(names(20));
      await shop.repair();
      await shop.stop();
      assert.equal((await shop.letters()).length, 20);
      const replayed = await shop.dlq('replay', '--all');
      assert.equal(replayed.stdout, 'replayed 20, invalid 0, gone 0\n', replayed.stderr);
      await shop.start();
      await shop.done(20);
      assert.deepEqual(await shop.timesById(), new Map([...ids.values()].map((id) => [id, 2])));
    });

    it('replays no more than --rate orders in any second', async () => {
      await shop.fail(names(61));
      await shop.repair();
      const startedMs = performance.now();
      const replayed = await shop.dlq('replay', '--all', '--rate', '30');
      const tookMs = performance.now() - startedMs;
      assert.equal(replayed.stdout, 'replayed 61, invalid 0, gone 0\n');
      // 30 at once, 30 a second later, and the last one after another second: it may take longer, but not less.
      assert.ok(tookMs >= 2000, `${tookMs} ms`);
      await shop.done(61);
    });
  });
}
