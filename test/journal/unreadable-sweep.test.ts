import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchUnreadable } from '../../src/journal/local/unreadable.js';
import { deadKey } from '../../src/journal/store/dead-letter-rows.js';
import { removeDead } from '../../src/journal/store/unreadable-rows.js';
import { newFrameId } from './frames.js';
import { tempJournal } from './temp-journal.js';

test('a damaged dead letter that is dropped or set aside beside the sweep does not come back', async (t) => {
  const { store } = tempJournal(t);
  const keys = Array.from({ length: 3 }, () => deadKey(`${newFrameId()}-0`));
  const [, dropped, setAside] = keys;
  await store.write(() => {
    for (const key of keys) store.dead.put(key, Buffer.from('damaged'));
  });
  let reported = 0;
  const watch = watchUnreadable(store, () => {
    // All were read by then.
    if (++reported > 1) return;
    store.transact(() => {
      assert.ok(removeDead(store, dropped!));
      store.dead.remove(setAside!);
    });
  });
  await watch.swept;
  assert.deepEqual(watch.counts(), { rows: 1, files: 0 });
  assert.equal(reported, 1);
  await watch.close();
});
