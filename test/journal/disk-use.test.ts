import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DiskUse } from '../../src/journal/store/disk-use.js';
import { startForebay } from '../support/forebay.js';
import { metric, OrderClient } from '../support/orders.js';

test('the files of a folder and of the folders in it are counted, and the disk under it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-disk-use-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'a'), Buffer.alloc(1000));
  mkdirSync(join(folder, 'frames'));
  writeFileSync(join(folder, 'frames', 'b'), Buffer.alloc(234));
  const { freeBytes, sizeBytes, filesBytes } = new DiskUse(folder).read();
  assert.equal(filesBytes, 1234);
  const { blocks, bsize } = statfsSync(folder);
  // Without frsize, a block of unknown size counts as the common one.
  assert.equal(sizeBytes, blocks * Math.min(bsize, 4096));
  assert.ok(freeBytes > 0 && freeBytes < sizeBytes, `${freeBytes} of ${sizeBytes}`);
});

test('a folder that is gone has no space, and its other numbers stay as they were', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-disk-use-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const use = new DiskUse(folder);
  rmSync(folder, { recursive: true });
  assert.deepEqual(use.read(), { freeBytes: 0, sizeBytes: 0, filesBytes: 0 });
});

test('/metrics has the disk and the journal; direct mode has neither', async (t) => {
  const server = await startForebay(['--drain', 'off'], { owner: t });
  const client = new OrderClient(server.url);
  t.after(async () => client.close());
  assert.equal((await client.post('ada')).status, 200);
  const { blocks, bsize } = statfsSync(server.data);
  const size = await metric(server, 'forebay_disk_size_bytes');
  assert.ok(size >= (blocks * Math.min(bsize, 4096)) / 2 && size <= blocks * bsize, `${size}`);
  const free = await metric(server, 'forebay_disk_free_bytes');
  assert.ok(free > 0 && free < size, `${free} of ${size}`);
  // A segment of the frame log has 4 MiB from the start.
  assert.ok((await metric(server, 'forebay_journal_bytes')) > 4 * 1024 ** 2);

  const direct = await startForebay(['--mode', 'direct'], { owner: t });
  for (const name of ['disk_size', 'disk_free', 'journal']) {
    assert.equal(await metric(direct, `forebay_${name}_bytes`), 0, name);
  }
});
