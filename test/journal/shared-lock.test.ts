import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { journalFile, LocalStore } from '../../src/journal/store/local-store.js';
import { appendInThread } from './append-in-thread.js';

/**
 * The locks that this process holds on a file. Not from /proc/locks, which can show one twice while other processes lock and
 * unlock.
 */
function locksOn(path: string): string[] {
  const own = '/proc/self/fd';
  return readdirSync(own)
    .filter((fd) => isSame(join(own, fd), path))
    .flatMap((fd) => readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').match(/^lock:.*$/gm) ?? []);
}

/** Whether both lead to the same file. One of them may be gone by now. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
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
