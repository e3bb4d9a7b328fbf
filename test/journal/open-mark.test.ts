import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { copyFault, markOpen } from '../../src/journal/store/open-mark.js';
import type { CopyFault } from '../../src/model/journal-facts.js';

it('a mark of an open folder that cannot be read says nothing, and is replaced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-open-mark-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = new LocalStore(folder);
  const key = Buffer.from('open');
  store.transact(() => void store.meta.put(key, Buffer.from('{"inode":"1\u0000')));
  assert.equal(copyFault(folder), null);
  markOpen(store, ({ text }) => assert.fail(text));
  assert.match(store.meta.getBinary(key)!.toString(), /^\{"inode":"\d+",/);
  await store.close();
  assert.equal(copyFault(folder), null);
});

describe('an open journal whose inode number has changed', () => {
  async function changed(t: TestContext): Promise<string> {
    const [folder, copy] = ['', '-copy'].map((what) =>
      mkdtempSync(join(tmpdir(), `forebay-open-mark${what}-`)),
    ) as [string, string];
    t.after(() => {
      for (const made of [folder, copy]) rmSync(made, { recursive: true, force: true });
    });
    const store = new LocalStore(folder);
    markOpen(store, ({ text }) => assert.fail(text));
    cpSync(folder, copy, { recursive: true });
    await store.close();
    return copy;
  }

  it('is a copy on a disk', async (t) => {
    const fault = copyFault(await changed(t), { name: 'ext4', kind: 'disk' });
    assert.equal(fault?.isCertain, true);
    assert.match(fault.text, /^it is a copy/);
  });

  for (const fileSystem of [
    { name: 'FUSE', kind: 'fuse' },
    { name: 'NFS', kind: 'network' },
  ] as const) {
    it(`may be a copy on ${fileSystem.name}, and is marked`, async (t) => {
      const folder = await changed(t);
      const found = copyFault(folder, fileSystem);
      assert.equal(found?.isCertain, false);
      assert.match(found.text, new RegExp(`Either ${fileSystem.name} was mounted again`));
      const store = new LocalStore(folder);
      const faults: CopyFault[] = [];
      markOpen(store, (fault) => faults.push(fault), fileSystem);
      assert.deepEqual(faults, [found]);
      markOpen(store, ({ text }) => assert.fail(text), fileSystem);
      await store.close();
      assert.equal(copyFault(folder), null);
    });
  }
});
