import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { runForebay } from '../support/forebay.js';
import { otherUserLack } from '../support/other-user.js';
import { journalOf, runAll, shown } from './commands.js';
import { temporaryFolder } from './used-folder.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const HOLD = fileURLToPath(new URL('hold.js', import.meta.url));
const NOBODY = 65534;

async function emptyJournal(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  await new LocalStore(folder).close();
  return folder;
}

/** Opens the journal in another process. */
async function hold(t: TestContext, folder: string): Promise<void> {
  const holder = spawn(process.execPath, [HOLD, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    holder.kill('SIGKILL');
    await once(holder, 'close');
  });
  await once(holder.stdout, 'data');
}

describe('in the place of the file of what is in hand', () => {
  it('a pipe: it is replaced', async (t) => {
    const folder = await emptyJournal(t);
    execFileSync('mkfifo', [join(folder, 'hand')]);
    assert.equal(await runAll(folder), '');
    assert.ok(statSync(join(folder, 'hand')).isFile());
  });
});

describe('in the place of a file of the journal', () => {
  const put: readonly [string, (path: string) => void, RegExp][] = [
    ['a folder', (path) => mkdirSync(path), /is a folder/],
    ['a pipe', (path) => void execFileSync('mkfifo', [path]), /is not a regular file/],
    ['a link to itself', (path) => symlinkSync(path, path), /ELOOP/],
    ['a link that leads nowhere', (path) => symlinkSync(`${path}-gone`, path), /ENOENT/],
  ];
  for (const name of ['journal.lmdb', 'journal.lmdb-lock', 'frames/0123456789abcdef.open']) {
    for (const [what, make, message] of put) {
      it(`${name}: ${what}`, async (t) => {
        const folder = await emptyJournal(t);
        mkdirSync(join(folder, 'frames'), { recursive: true });
        rmSync(join(folder, name), { force: true });
        make(join(folder, name));
        const refused = await runAll(folder);
        assert.match(refused, message);
        const backup = await runForebay(['backup', `${folder}/copy`, '--data', folder]);
        assert.equal(backup.code, 1, shown(backup));
        assert.match(backup.stderr, /^forebay: backup of .*\n$/);
      });
    }
  }
});

describe('a lock file of LMDB', () => {
  const contents: readonly [string, (lock: string) => void][] = [
    ['empty', (lock) => truncateSync(lock, 0)],
    ['cut to a byte', (lock) => truncateSync(lock, 1)],
    ['cut to a page', (lock) => truncateSync(lock, 4096)],
    ['of zeros', (lock) => writeFileSync(lock, Buffer.alloc(8272))],
    ['of chance', (lock) => writeFileSync(lock, Buffer.alloc(8272, 'chance'))],
    ['of another version', (lock) => writeFileSync(lock, Buffer.from('dec0efbe01000000', 'hex'))],
  ];
  for (const [what, change] of contents) {
    it(`that is ${what} is created again`, async (t) => {
      const folder = await emptyJournal(t);
      change(`${journalOf(folder)}-lock`);
      assert.equal(await runAll(folder), '');
    });
  }

  it('that is damaged while another process uses it: one line, and no process ends', async (t) => {
    const folder = await emptyJournal(t);
    await hold(t, folder);
    // In place: a file that is cut off for a moment would end the other process, which has mapped it.
    writeFileSync(`${journalOf(folder)}-lock`, Buffer.alloc(8272, 'chance'), { flag: 'r+' });
    const list = await runForebay(['dlq', 'list', '--data', folder]);
    assert.equal(list.code, 1, shown(list));
    assert.match(
      list.stderr,
      /^forebay: .*-lock is damaged.*another process uses it; stop every.*\n$/,
    );
  });

  it('or a journal that another user owns: one line that names the user', {
    skip: otherUserLack(NOBODY),
  }, async (t) => {
    for (const name of ['journal.lmdb-lock', 'journal.lmdb']) {
      const folder = await emptyJournal(t);
      chownSync(folder, NOBODY, NOBODY);
      for (const file of ['journal.lmdb-lock', 'journal.lmdb']) {
        chownSync(join(folder, file), file === name ? 0 : NOBODY, NOBODY);
        chmodSync(join(folder, file), 0o644);
      }
      for (const args of [
        ['serve', '--port', '0', '--admin-port', '0'],
        ['dlq', 'list'],
      ]) {
        const child = spawn(process.execPath, [MAIN, ...args, '--data', folder], {
          uid: NOBODY,
          gid: NOBODY,
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        let stderr = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          stderr += text;
        });
        const [code, signal] = await once(child, 'close');
        assert.deepEqual({ code, signal }, { code: 1, signal: null }, stderr);
        assert.match(
          stderr,
          new RegExp(
            `^forebay: .*user ${NOBODY} cannot read and write .*${name}: it belongs to user 0 .*\n$`,
          ),
        );
      }
    }
  });
});
