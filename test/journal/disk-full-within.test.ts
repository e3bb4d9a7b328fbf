import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { type FileSystem, SmallDisk, smallDiskLack } from '../faults/mounts.js';

const PROGRAM = fileURLToPath(new URL('./fill-within.js', import.meta.url));
const MIB = 1024 ** 2;
/** The smallest size that mkfs.xfs accepts is 300 MB. */
const DISK_MIB: Readonly<Record<FileSystem, number>> = { tmpfs: 96, ext4: 128, xfs: 320 };

describe('local: a disk that fills up between check and write', () => {
  for (const type of ['tmpfs', 'ext4', 'xfs'] as const) {
    for (const how of ['write', 'transact']) {
      test(`${how} on ${type}: the write succeeds, the next is refused, and the process survives`, {
        skip: smallDiskLack(type) ?? false,
      }, async (t) => {
        const folder = mkdtempSync(join(tmpdir(), 'forebay-within-'));
        const disk = new SmallDisk({ after: (end) => t.after(end) }, folder, DISK_MIB[type], type);
        t.after(() => rmSync(folder, { recursive: true, force: true }));
        const data = join(disk.path, 'data');
        const args = [data, join(disk.path, 'ballast'), String(DISK_MIB[type] * MIB), how];
        const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args]);
        const [before, within, full, after] = stdout.split('\n');
        assert.deepEqual([before, within, after], ['before', 'within', 'after']);
        assert.match(full!, /^disk full: 0 MiB free, 16 needed$/);
        const store = new LocalStore(data);
        for (const round of ['before', 'within', 'after']) {
          for (let i = 0; i < 32; i++) {
            const row = store.frames.getBinary(Buffer.from(`${round}-frame-${i}`));
            assert.deepEqual(row, Buffer.alloc(65_000, round));
          }
          for (let i = 0; i < 8000; i++) {
            const row = store.settled.getBinary(Buffer.from(`${i}-${round}`));
            assert.deepEqual(row, Buffer.alloc(100, round));
          }
        }
        assert.equal(store.frames.getBinary(Buffer.from('full-frame-0')), undefined);
        await store.close();
      });
    }
  }
});
