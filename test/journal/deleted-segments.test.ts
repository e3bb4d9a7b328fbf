import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openLocalAppender } from '../../src/journal/local/open.js';
import { logFolder } from '../../src/journal/local/segment-files.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { setAsideFiles } from '../../src/journal/store/set-aside.js';
import { flip, recordOf } from './damaged-segments.js';
import { commitAll, fresh, newFrameId, take, takeFor, until } from './frames.js';
import { ids, inTables } from './temp-journal.js';

const options = {
  skip: process.platform === 'linux' ? false : 'only on Linux are frames written to a log',
};

interface Opened {
  readonly store: LocalStore;
  readonly source: LocalSource;
}

/** A folder, and what opens a journal in it. */
function tempData(t: TestContext) {
  const data = mkdtempSync(join(tmpdir(), 'forebay-deleted-'));
  const sources: LocalSource[] = [];
  t.after(async () => {
    await Promise.all(sources.map((source) => source.close()));
    rmSync(data, { recursive: true });
  });
  const open = (acceptedOrders = () => 0): Opened => {
    const store = new LocalStore(data);
    const parts = { newFrameId, acceptedOrders, retryMsMax: 60_000, log: () => {} };
    const source = new LocalSource(store, parts);
    sources.push(source);
    return { store, source };
  };
  return { data, open };
}

test('frames that wait in segments which somebody deletes are kept', options, async (t) => {
  const { data, open } = tempData(t);
  const { store, source } = open();
  const appender = await openLocalAppender(data);
  const frames = [fresh(1), fresh(2), fresh(3)];
  await commitAll(appender, frames);
  const [first, second] = await take(source, 2);
  rmSync(logFolder(data), { recursive: true });
  first!.release();
  await until(
    () => inTables(store).length === 1,
    'those before the claimed frame are in the tables',
  );
  second!.release();
  await until(() => inTables(store).length === 3, 'all are in the tables');
  await appender.close();
  await source.close();
  const next = open().source;
  const found = await take(next, frames.length);
  assert.deepEqual(ids(found.map(({ frame }) => frame)), ids(frames));
  assert.deepEqual(await takeFor(next, 100), []);
});

test(
  'a frame that is found damaged when it leaves the log is not pending any more',
  options,
  async (t) => {
    const { data, open } = tempData(t);
    let accepted = 0;
    const { source } = open(() => accepted);
    const appender = await openLocalAppender(data);
    const frames = [fresh(1), fresh(20), fresh(300)];
    await commitAll(appender, frames);
    accepted = 321;
    // After that, no value of them is in memory.
    for (const delivery of await take(source, frames.length)) delivery.release();
    const { path, at } = recordOf(data, frames[1]!);
    flip(path, at + 300);
    // So that they leave.
    rmSync(logFolder(data), { recursive: true });
    await until(() => source.pendingOrders() === 301, 'without the orders of the damaged frame');
    assert.deepEqual(
      [...setAsideFiles(data)].map(({ name }) => name),
      [frames[1]!.id],
    );
    await appender.close();
  },
);
