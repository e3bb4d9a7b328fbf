import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { copyFault, markOpen } from '../../src/journal/store/open-mark.js';

it('a mark of an open folder that cannot be read says nothing, and is replaced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-open-mark-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = new LocalStore(folder);
  const key = Buffer.from('open');
  store.transact(() => void store.meta.put(key, Buffer.from('{"inode":"1\u0000')));
  assert.equal(copyFault(folder), '');
  markOpen(store, (what) => assert.fail(what));
  assert.match(store.meta.getBinary(key)!.toString(), /^\{"inode":"\d+",/);
  await store.close();
  assert.equal(copyFault(folder), '');
});
