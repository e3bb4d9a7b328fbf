import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { blockBytes, FreeSpace, fileSystemOf } from '../../src/journal/store/file-system.js';
import { localDurability, type StorageKind } from '../../src/model/durability.js';
import { mountLack, SmallDisk } from '../faults/mounts.js';
import { runForebay, startForebay } from '../support/forebay.js';

describe('the block size of free space', () => {
  const fail = () => assert.fail('there is no need to ask');

  for (const [what, reported, asked, expected] of [
    ['the reported one', { bavail: 1, bsize: 1_048_576, frsize: 4096 }, fail, 4096],
    ['of Node without it, on a common disk', { bavail: 1, bsize: 4096 }, fail, 4096],
    ['of Node without it, on small blocks', { bavail: 1, bsize: 1024 }, fail, 1024],
    ['of a large transfer size: asked', { bavail: 1, bsize: 1_048_576 }, () => 65_536, 65_536],
    ['where nobody answers: a low one', { bavail: 1, bsize: 1_048_576 }, () => Number.NaN, 4096],
  ] as const) {
    it(`is ${what}`, () => assert.equal(blockBytes(reported, asked), expected));
  }

  it('gives the free space of a real folder', () => {
    assert.ok(new FreeSpace(tmpdir()).bytes() > 0);
  });
});

describe('the guarantee of the local journal', () => {
  for (const [kind, name, expected, hasRemedy] of [
    ['disk', 'ext4', 'fsync', false],
    ['memory', 'tmpfs', 'none', true],
    ['overlay', 'overlay', 'fsync', true],
    ['network', 'NFS', 'fsync', true],
    ['fuse', 'FUSE', 'fsync', true],
  ] as const satisfies readonly [StorageKind, string, string, boolean][]) {
    it(`on ${name} is ${expected}${hasRemedy ? ', with a warning' : ''}`, () => {
      const { class: found, remedy, text } = localDurability({ name, kind });
      assert.equal(found, expected);
      assert.equal(remedy !== '', hasRemedy);
      assert.equal(text.includes(name), hasRemedy);
    });
  }
});

describe('a data folder in memory', { skip: mountLack() ?? false }, () => {
  it('is not called durable by serve, its metrics and check', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'forebay-memory-'));
    const disk = new SmallDisk(t, folder, 200, 'tmpfs');
    t.after(() => rm(folder, { recursive: true, force: true }));
    assert.deepEqual(fileSystemOf(disk.path), { name: 'tmpfs', kind: 'memory' });
    const data = join(disk.path, 'data');
    const forebay = await startForebay([], { owner: t, data });
    const metrics = await (await fetch(`${forebay.adminUrl}/metrics`)).text();
    assert.match(metrics, /^forebay_durability_info\{class="none",replicas="1"\} 1$/m);
    assert.match(forebay.stderr, /"event":"data-folder-risk".*tmpfs is memory.*fix: /);
    assert.equal(await forebay.stop(), 0);
    const check = await runForebay(['check', '--data', data, '--port', '0', '--admin-port', '0']);
    assert.match(check.stdout, /^warn +guarantee +none: local journal: accepted means in memory/m);
  });
});
