import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LocalDeadLetters } from '../../src/journal/local/dead-letters.js';
import { LocalUnreadable, watchUnreadable } from '../../src/journal/local/unreadable.js';
import { deadKey, decodeDead, putDeadLetter } from '../../src/journal/store/dead-letter-rows.js';
import { decodeKeys, recordKeys } from '../../src/journal/store/idempotency-rows.js';
import type { LocalStore } from '../../src/journal/store/local-store.js';
import { movedKey, removeDead, unreadableRows } from '../../src/journal/store/unreadable-rows.js';
import type { StoredDeadLetter } from '../../src/model/dead-letters.js';
import { fresh, newFrameId } from './frames.js';
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

test('a letter that is written under the key of a damaged one beside the sweep stays', async (t) => {
  const { store } = tempJournal(t);
  const keys = Array.from({ length: 2 }, () => deadKey(`${newFrameId()}-0`));
  const again = keys[1]!;
  await store.write(() => {
    for (const key of keys) store.dead.put(key, Buffer.from('damaged'));
  });
  const watch = watchUnreadable(store, () =>
    store.transact(() => putDeadLetter(store, letter(again))),
  );
  await watch.swept;
  assert.equal(decodeDead(again, store.dead.getBinary(again)!).reason, 'again');
  assert.deepEqual(watch.counts(), { rows: 1, files: 0 });
  await watch.close();
});

test('drop of a listed letter leaves a damaged row of the same order', async (t) => {
  const { store } = tempJournal(t);
  const key = deadKey(`${newFrameId()}-0`);
  await store.write(() => {
    store.unreadable.put(movedKey('dead', key), Buffer.from('damaged'));
    putDeadLetter(store, letter(key));
  });
  const letters = new LocalDeadLetters(store, { newFrameId, log: () => {} });
  assert.equal(await letters.drop(key.toString(), 3), false);
  assert.equal(await letters.drop(key.toString(), 2), true);
  store.refresh();
  assert.ok(!store.dead.doesExist(key));
  assert.equal(unreadableRows(store), 1);
});

function letter(key: Buffer): StoredDeadLetter {
  const body = Buffer.from('{}');
  const orderId = key.toString();
  return { orderId, reason: 'again', attempts: 1, firstAtMs: 1, lastAtMs: 2, body };
}

async function allSetAside(store: LocalStore, meanwhile = () => {}): Promise<string[]> {
  const contents = [];
  for await (const { path } of new LocalUnreadable(store).setAside(null)) {
    contents.push(readFileSync(path, 'latin1').split('\n')[1]!);
    if (contents.length === 1) meanwhile();
  }
  store.refresh();
  return contents;
}

test('two damaged rows that had the same key in turn are both set aside', async (t) => {
  const { store } = tempJournal(t);
  const key = deadKey(`${newFrameId()}-0`);
  await store.write(() => {
    store.unreadable.put(movedKey('dead', key), Buffer.from('earlier'));
    store.dead.put(key, Buffer.from('later'));
  });
  assert.deepEqual(await allSetAside(store), ['later', 'earlier']);
  assert.ok(!store.dead.doesExist(key));
  assert.equal(unreadableRows(store), 0);
});

test('a row that was written again since it was listed as damaged stays', async (t) => {
  const { store } = tempJournal(t);
  const [first, second] = [newFrameId(), newFrameId()];
  const key = Buffer.from(second, 'latin1');
  await store.write(() => {
    for (const id of [first, second]) store.keys.put(Buffer.from(id, 'latin1'), Buffer.from(id));
  });
  const keys = [{ position: 0, key: 'k', digest: 'd' }];
  // As the settlement of the frame does.
  const settle = () => store.transact(() => recordKeys(store, { ...fresh(1), id: second, keys }));
  assert.deepEqual(await allSetAside(store, settle), [first, second]);
  assert.equal(decodeKeys(key, store.keys.getBinary(key)!).length, 1);
});
