import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, metric } from '../../support/orders.js';
import { JOURNALS, names, Shop } from './shop.js';

for (const kind of JOURNALS) {
  describe(`--dead-max on ${kind}`, () => {
    it('when it is reached, a dead order stays in the journal and is counted; it becomes a dead letter when there is room', async (t) => {
      const flags = ['--dead-max', '3', '--retry-ms-min', '50', '--retry-ms-max', '300'];
      const shop = await Shop.open(t, kind, flags);
      const { forebay } = shop;
      const ids = new Set((await shop.post(names(5))).values());
      await eventually(
        'two are refused',
        async () => (await metric(forebay, 'forebay_dead_refused_total')) >= 4,
      );
      assert.equal((await shop.letters()).length, 3);
      await eventually(
        'the gauge shows them',
        async () => (await metric(forebay, 'forebay_dead_letters')) === 3,
      );
      assert.equal(await metric(forebay, 'forebay_dead_letters_max'), 3);
      // In JetStream an estimate until its stream is empty for the first time.
      await eventually('two are pending', async () => {
        const pending = await metric(forebay, 'forebay_journal_pending_orders');
        return kind === 'local' ? pending === 2 : pending >= 2;
      });
      assert.equal(await metric(forebay, 'forebay_dead_total'), 3);
      const lines = forebay.stderr.split('\n').filter((line) => line.includes('--dead-max'));
      assert.equal(lines.length, 1, forebay.stderr);

      const [first, second] = await shop.letters();
      await shop.dlq('drop', first!.id);
      await eventually('one takes its place', async () => {
        const kept = await shop.letters();
        return kept.length === 3 && kept.every(({ id }) => id !== first!.id);
      });
      await shop.dlq('drop', second!.id);
      await eventually('the last one too', async () => {
        const kept = (await shop.letters()).map(({ id }) => id);
        const all = new Set([...kept, first!.id, second!.id]);
        return kept.length === 3 && all.size === 5;
      });
      await eventually(
        'none waits any more',
        async () => (await metric(forebay, 'forebay_journal_pending_orders')) === 0,
      );
      const known = (await shop.letters()).map(({ id, attempts }) => [ids.has(id), attempts]);
      assert.deepEqual(known, Array(3).fill([true, 1]));
      await shop.stop();
    });
  });
}
