import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { journalFile, LocalStore } from '../../src/journal/store/local-store.js';
import { appendInThread } from './append-in-thread.js';

/** The locks that processes hold on a file. */
function locksOn(path: string): string[] {
  const { ino } = statSync(path);
  return readFileSync('/proc/locks', 'latin1')
    .split('\n')
    .filter((line) => line.includes(`:${ino} `));
}

/** Without its lock, the next process that opens the journal takes it for unused, and creates the lock file again. */
describe('the lock of LMDB on a journal', { skip: process.platform !== 'linux' }, () => {
  for (const name of ['plain', 'with space', 'grün', '数据', 'two\nlines']) {
    it(`is kept when a thread opens it too, in ${JSON.stringify(name)}`, async (t) => {
      const base = mkdtempSync(join(tmpdir(), 'forebay-shared-lock-'));
      t.after(() => rmSync(base, { recursive: true, force: true }));
      const folder = join(base, name);
      mkdirSync(folder);
      const store = new LocalStore(folder);
      t.after(() => store.close());
      const lock = join(folder, `${journalFile}-lock`);
      assert.equal(locksOn(lock).length, 1);
      await appendInThread({ journal: 'local', folder }, 3, new Set());
      assert.equal(locksOn(lock).length, 1);
    });
  }
});
