import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { FrameLog } from '../../src/journal/local/frame-log.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { DelayedWrites } from './delayed-writes.js';
import { fresh, until } from './frames.js';
import { inTables, states, tempJournal } from './temp-journal.js';

/** A store, and what is done with it and the commit in which order. */
function noted(t: TestContext, data: string): { store: LocalStore; events: string[] } {
  const store = new LocalStore(data);
  const events: string[] = [];
  const close = store.close.bind(store);
  t.mock.method(store, 'close', () => {
    events.push('closed');
    return close();
  });
  return { store, events };
}

/** As long as it takes to close an appender that does nothing. */
async function closeAnother(t: TestContext): Promise<void> {
  const { data } = tempJournal(t);
  const log = new FrameLog(data, () => true);
  await log.prepared();
  await new LocalAppender(new LocalStore(data), log).close();
}

describe('an appender that closes waits for the frame that it writes', () => {
  test('into the tables', async (t) => {
    const { data, store: look } = tempJournal(t);
    const { store, events } = noted(t, data);
    const write = store.write.bind(store);
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    t.mock.method(store, 'write', async (writes: () => void) => {
      await opened;
      await write(writes);
    });
    const appender = new LocalAppender(store);
    const frame = fresh(1);
    const committed = appender.commit(frame).then(() => events.push('committed'));
    const closing = appender.close();
    await closeAnother(t);
    assert.deepEqual(events, []);
    open();
    await Promise.all([committed, closing]);
    assert.deepEqual(events.sort(), ['closed', 'committed']);
    assert.deepEqual(inTables(look), [frame.id]);
  });

  test('into the log, and leaves its segments to others', async (t) => {
    const { data, mover, store: look } = tempJournal(t);
    const { store, events } = noted(t, data);
    const log = new FrameLog(data, () => true);
    await log.prepared();
    const appender = new LocalAppender(store, log);
    const { delayed } = new DelayedWrites(t);
    const frame = fresh(1);
    const committed = appender.commit(frame).then(() => events.push('committed'));
    await until(() => delayed.length === 1, 'it is written');
    const closing = appender.close();
    await closeAnother(t);
    assert.deepEqual(events, []);
    assert.ok(states(data).includes('open'));
    delayed[0]!.report();
    await Promise.all([committed, closing]);
    assert.deepEqual(events.sort(), ['closed', 'committed']);
    assert.ok(!states(data).includes('open'));
    await mover.run();
    assert.deepEqual(inTables(look), [frame.id]);
  });
});
