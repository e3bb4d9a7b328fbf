import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openLocalAppender } from '../../src/journal/local/open.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { CommitRefused } from '../../src/model/journal.js';
import { fresh, until } from './frames.js';

describe('a local journal whose file is removed while it is open', () => {
  it('takes no orders until the file is back', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'forebay-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const store = new LocalStore(folder);
    const appender = await openLocalAppender(folder);
    await appender.commit(fresh(1));
    await rename(join(folder, 'journal.lmdb'), join(folder, 'elsewhere'));
    await until(() => !appender.writable, 'not writable');
    assert.match(appender.reason, /journal\.lmdb/);
    await assert.rejects(appender.commit(fresh(1)), CommitRefused);
    await rename(join(folder, 'elsewhere'), join(folder, 'journal.lmdb'));
    await until(() => appender.writable, 'writable');
    await appender.commit(fresh(1));
    await appender.close();
    await store.close();
  });

  it('is not recreated by a thread that starts later', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'forebay-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await assert.rejects(openLocalAppender(folder), /journal\.lmdb/);
  });
});
