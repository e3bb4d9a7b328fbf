import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { LogLoop } from '../../src/journal/local/log-loop.js';
import type { LoggedFrames } from '../../src/journal/local/logged-frames.js';
import { openLocalSource } from '../../src/journal/local/open.js';
import { type LocalDelivery, LocalSource } from '../../src/journal/local/source.js';
import { freshKey } from '../../src/journal/store/frame-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { optionsOf } from '../../src/options/load.js';
import { fresh, NOTHING, newFrameId, take, until } from './frames.js';
import { tempJournal } from './temp-journal.js';

function sourceOn(store: LocalStore): LocalSource {
  const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
  return new LocalSource(store, parts);
}

/** A journal of which the writes wait until `open` is called; `events` says what is done in which order. */
function gated(t: TestContext, data: string) {
  const store = new LocalStore(data);
  const events: string[] = [];
  const [write, close] = [store.write.bind(store), store.close.bind(store)];
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let asked = 0;
  t.mock.method(store, 'write', async (writes: () => void) => {
    asked++;
    await opened;
    await write(writes);
    events.push('written');
  });
  t.mock.method(store, 'close', () => {
    events.push('closed');
    return close();
  });
  return { store, events, open, asked: () => asked };
}

/** As long as it takes to close a journal in which nothing is under way. */
async function closeAnother(t: TestContext): Promise<void> {
  await sourceOn(new LocalStore(tempJournal(t).data)).close();
}

describe('a journal that closes while', () => {
  const ends: Readonly<Record<string, (delivery: LocalDelivery) => Promise<void>>> = {
    settled: (delivery) => delivery.settle(NOTHING),
    'taken over by another journal': (delivery) => delivery.forwarded(),
  };
  for (const [how, end] of Object.entries(ends)) {
    test(`a frame is ${how} waits until that is durable`, async (t) => {
      const { data } = tempJournal(t);
      const frame = fresh(2);
      const appender = new LocalAppender(new LocalStore(data));
      await appender.commit(frame);
      await appender.close();
      const { store, events, open, asked } = gated(t, data);
      const source = sourceOn(store);
      const [delivery] = await take(source, 1);
      const ended = end(delivery as LocalDelivery);
      await until(() => asked() > 0, 'it is under way');
      const closing = source.close();
      await closeAnother(t);
      assert.deepEqual(events, []);
      open();
      await Promise.all([ended, closing]);
      assert.deepEqual(events, ['written', 'closed']);
      assert.equal(source.pendingOrders(), 0);
      const after = sourceOn(new LocalStore(data));
      await after.counted;
      assert.equal(after.pendingOrders(), 0);
      await after.close();
    });
  }

  test('a row that cannot be read is moved waits until that is durable', async (t) => {
    const { data, store: look } = tempJournal(t);
    await look.write(() => void look.frames.put(freshKey(fresh(2)), Buffer.from('strange')));
    const { store, events, open, asked } = gated(t, data);
    const source = sourceOn(store);
    const pulling = source.pull(1, AbortSignal.timeout(60_000));
    await until(() => asked() > 0, 'it is under way');
    const closing = source.close();
    assert.deepEqual(await pulling, []);
    await closeAnother(t);
    assert.deepEqual(events, []);
    open();
    await closing;
    assert.deepEqual(events, ['written', 'closed']);
    look.refresh();
    assert.equal((look.frames.getStats() as { entryCount: number }).entryCount, 0);
    assert.equal((look.unreadable.getStats() as { entryCount: number }).entryCount, 1);
  });

  test('its orders are counted ends that first', async (t) => {
    const { data, store: look } = tempJournal(t);
    await look.write(() => {
      for (let i = 0; i < 5000; i++) look.frames.put(freshKey(fresh(1)), Buffer.from('x'));
    });
    const { store, events } = gated(t, data);
    const source = sourceOn(store);
    void source.counted.then(() => events.push('counted'));
    await source.close();
    await source.counted;
    assert.deepEqual(events, ['counted', 'closed']);
  });

  test('the disk takes no writes gives settlements up, and has the frames after a start', async (t) => {
    const { data } = tempJournal(t);
    const frame = fresh(2);
    const appender = new LocalAppender(new LocalStore(data));
    await appender.commit(frame);
    await appender.close();
    const store = new LocalStore(data);
    t.mock.method(store, 'write', async () => assert.fail('no such disk'));
    const source = sourceOn(store);
    const [delivery] = await take(source, 1);
    const settling = delivery!.settle(NOTHING);
    await until(() => !source.reachable, 'a try has failed');
    await source.close();
    await settling;
    assert.equal(source.pendingOrders(), 2);
    const after = sourceOn(new LocalStore(data));
    const [again] = await take(after, 1);
    assert.equal(again!.frame.id, frame.id);
    await after.close();
  });
});

describe('the loop that reads the log, when it closes,', () => {
  /** `tidy` takes a turn, and fails if `fault` is not empty. */
  function recorder(fault = '') {
    const events: string[] = [];
    const logged = {
      read: () => {
        events.push('read');
        return false;
      },
      tidy: async (scope: string) => {
        events.push(`${scope} begins`);
        await nextTurn();
        events.push(`${scope} ends`);
        if (fault !== '') throw new Error(fault);
      },
      close: () => events.push('closed'),
    };
    return { events, loop: new LogLoop(logged as unknown as LoggedFrames, null, () => {}) };
  }
  const due = ['read', 'due begins', 'due ends'];
  const last = ['stop begins', 'stop ends', 'closed'];

  test('ends what is under way, reads once more, and tidies one after the other', async () => {
    const { events, loop } = recorder();
    loop.wake();
    await loop.close();
    assert.deepEqual(events, [...due, ...due, ...last]);
  });

  test('closes the segments also if nothing can be tidied', async () => {
    const { events, loop } = recorder('the tables are full');
    await loop.close();
    assert.deepEqual(events, [...due, ...last]);
  });
});

test('after a close, nothing reads the tables any more', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { data, store: look } = tempJournal(t);
  await look.write(() => void look.dead.put(Buffer.from('0'), Buffer.from('strange')));
  const refresh = t.mock.method(LocalStore.prototype, 'refresh');
  const never = () => 0;
  const handle = await openLocalSource(optionsOf({ data }), {
    newFrameId,
    acceptedOrders: never,
    spooledOrders: never,
    failedKeyRows: never,
    counts: new ThreadCounts(createCounts(1), 0),
    log: () => {},
    requestWake: null,
    claimFolder: async () => {},
    left: () => [],
  });
  await until(() => handle.unreadable().rows === 1, 'the dead letter was moved');
  await handle.close();
  const before = refresh.mock.callCount();
  t.mock.timers.tick(60_000);
  assert.deepEqual(handle.unreadable(), { rows: 1, files: 0 });
  assert.equal(handle.source.deadLetters(), 0);
  assert.equal(handle.source.oldestAcceptedAtMs(), 0);
  assert.equal(refresh.mock.callCount(), before);
});
