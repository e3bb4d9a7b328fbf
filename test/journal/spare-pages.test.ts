import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { APPEND_FLOOR, DiskSpace, WRITE_FLOOR } from '../../src/journal/store/disk-space.js';
import { journalFile, LocalStore } from '../../src/journal/store/local-store.js';
import { mountLack, SmallDisk } from '../faults/mounts.js';
import type { RowsRequest } from './write-rows.js';

const MIB = 1024 ** 2;

function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-spare-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('the spare pages of the journal', () => {
  test('exist before each write; and threads do not overwrite each other', async (t) => {
    const folder = tempFolder(t);
    const store = new LocalStore(folder);
    const file = join(folder, journalFile);
    const threads = ['a', 'b', 'c'];
    const [rows, rowBytes] = [120, 100_000];
    assert.ok(statSync(file).size >= APPEND_FLOOR.spareBytes);
    const ended = threads.map(async (thread) => {
      const workerData: RowsRequest = { folder, thread, rows, rowBytes };
      const worker = new Worker(new URL('./write-rows.js', import.meta.url), { workerData });
      const [code] = await once(worker, 'exit');
      assert.equal(code, 0);
    });
    await Promise.all(ended);
    const { size, blocks } = statSync(file);
    assert.ok(size >= threads.length * rows * rowBytes + APPEND_FLOOR.spareBytes);
    // No holes: a page in a hole would need a block.
    assert.ok(blocks * 512 >= size);
    store.refresh();
    for (const thread of threads) {
      for (let i = 0; i < rows; i++) {
        const name = `${thread}-${i}`;
        const row = store.frames.getBinary(Buffer.from(name));
        assert.ok(row?.equals(Buffer.alloc(rowBytes, name)), name);
      }
    }
    await store.close();
  });

  test('are not more after a hundred starts than after one', async (t) => {
    const folder = tempFolder(t);
    const bytes = () => statSync(join(folder, journalFile)).size;
    await new LocalStore(folder).close();
    const first = bytes();
    for (let i = 0; i < 100; i++) {
      const store = new LocalStore(folder);
      await store.write(() => store.meta.put(Buffer.from('a'), Buffer.from(String(i))));
      await store.close();
    }
    assert.equal(bytes(), first);
  });
});

describe('the space for the journal', () => {
  test('is allocated before a write, and checked before frames are taken', (t) => {
    const folder = tempFolder(t);
    const file = join(folder, 'file');
    writeFileSync(file, '');
    let usedBytes = 0;
    const space = new DiskSpace(folder, file);
    t.after(() => space.close());
    space.watchFile(() => usedBytes);
    const first = statSync(file).size;
    usedBytes = MIB;
    assert.equal(space.shortageNow(WRITE_FLOOR), '');
    assert.equal(statSync(file).size, first);
    usedBytes = 2 * MIB;
    assert.equal(space.shortageNow(WRITE_FLOOR), '');
    assert.ok(statSync(file).size > first);
    // Truncated by another program: its former length does not count.
    truncateSync(file, usedBytes);
    assert.equal(space.shortageNow(WRITE_FLOOR), '');
    assert.ok(statSync(file).size - usedBytes >= APPEND_FLOOR.spareBytes);
  });

  test('that cannot be allocated, though the disk seems free, is a refusal', {
    skip: mountLack() ?? false,
  }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'forebay-spare-'));
    const disk = new SmallDisk({ after: (end) => t.after(end) }, folder, 64);
    // After the disk's own cleanup: these run in the order of registration.
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(disk.path, 'file');
    writeFileSync(file, '');
    let usedBytes = 0;
    // Its free space is read from another file system, as when a quota is exceeded.
    const space = new DiskSpace(folder, file);
    t.after(() => space.close());
    space.watchFile(() => usedBytes);
    disk.fill();
    usedBytes = 4 * MIB;
    assert.equal(space.shortageNow(WRITE_FLOOR), '');
    assert.equal(space.shortageNow(APPEND_FLOOR), '');
    usedBytes = 6 * MIB;
    assert.equal(space.shortageNow(WRITE_FLOOR), '');
    assert.match(space.shortageNow(APPEND_FLOOR), /cannot grow: 11 MiB spare, 12 needed: ENOSPC/);
    usedBytes = 8 * MIB;
    assert.match(space.shortageNow(WRITE_FLOOR), /cannot grow: 9 MiB spare, 10 needed: ENOSPC/);
    disk.empty();
    assert.equal(space.shortageNow(WRITE_FLOOR), '');
  });
});
