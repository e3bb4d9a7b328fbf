import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLocalAppender } from '../../src/journal/local/open.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { CommitRefused } from '../../src/model/journal.js';
import { fresh, until } from './frames.js';

const WITHOUT_DESCRIPTORS = fileURLToPath(new URL('without-descriptors.js', import.meta.url));

describe('a process that has no file descriptor left', () => {
  it('does not take that for a full disk', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'forebay-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const limited = 'ulimit -n 128 && exec "$0" "$@"';
    const args = ['-c', limited, process.execPath, WITHOUT_DESCRIPTORS, folder];
    const output = execFileSync('sh', args, { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(output), { fault: 'EMFILE', shortage: '' });
  });
});

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
