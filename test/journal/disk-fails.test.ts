import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { CommitRefused } from '../../src/model/journal.js';
import { type FileSystem, powerCutLack, SmallDisk, smallDiskLack } from '../faults/mounts.js';
import { fresh } from './frames.js';

function mounted(t: TestContext, type: FileSystem, mib: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-fails-'));
  const disk = new SmallDisk({ after: (end) => t.after(end) }, folder, mib, type);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return disk.path;
}

/** LMDB's message about a failed write usually crashes the process. */
async function assertRefused(disk: string, fail: () => void, why: RegExp): Promise<void> {
  const store = new LocalStore(join(disk, 'data'));
  const appender = new LocalAppender(new LocalStore(join(disk, 'data')));
  await appender.commit(fresh(10));
  fail();
  const put = () => void store.meta.put(Buffer.from('a'), Buffer.alloc(100_000));
  await assert.rejects(store.write(put), why);
  assert.throws(() => store.transact(put), why);
  await assert.rejects(appender.commit(fresh(10)), (error) => {
    assert.ok(error instanceof CommitRefused);
    assert.match(error.message, why);
    return true;
  });
  await appender.close();
  await store.close();
}

describe('local: a disk that no longer takes writes', () => {
  test('after an ext4 error, commits are refused and LMDB is not called', {
    skip: smallDiskLack('ext4') ?? false,
  }, async (t) => {
    const disk = mounted(t, 'ext4', 128);
    execFileSync('mount', ['-o', 'remount,errors=remount-ro', disk]);
    const device = execFileSync('findmnt', ['-no', 'SOURCE', disk], { encoding: 'utf8' }).trim();
    const trigger = `/sys/fs/ext4/${basename(device)}/trigger_fs_error`;
    if (!existsSync(trigger)) {
      t.skip('this kernel can not be told to find an error');
      return;
    }
    await assertRefused(disk, () => writeFileSync(trigger, 'for the test'), /EROFS/);
  });

  test('after an XFS shutdown, commits are refused and LMDB is not called', {
    skip: powerCutLack() ?? false,
  }, async (t) => {
    const disk = mounted(t, 'xfs', 320);
    const shutDown = () => execFileSync('xfs_io', ['-x', '-c', 'shutdown', disk]);
    await assertRefused(disk, shutDown, /EIO/);
  });
});
