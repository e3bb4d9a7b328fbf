import assert from 'node:assert/strict';
import { closeSync, copyFileSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { requireSoundFile } from '../../src/journal/store/sound-file.js';
import { journalOf, runAll } from './commands.js';
import { damage, usedPages } from './damage.js';
import { copyOf, temporaryFolder, usedFolder } from './used-folder.js';

const MAP_BYTES = 2 ** 38;
/** Of every command each; the long form is `npm run fuzz:damage`. */
const SEEDS = 3;
const SEEDS_WITHOUT_COMMANDS = 100;

describe('a damaged journal', () => {
  let folder = '';
  let pages = 0;
  const ends: (() => Promise<void>)[] = [];
  before(async () => {
    folder = await usedFolder({ after: (end) => void ends.push(end) });
    pages = usedPages(readFileSync(journalOf(folder)));
  });
  after(() => Promise.all(ends.map((end) => end())));

  function isRefused(t: TestContext, change: (path: string) => void): boolean {
    const path = journalOf(temporaryFolder(t));
    copyFileSync(journalOf(folder), path);
    change(path);
    try {
      requireSoundFile(path, MAP_BYTES);
      return false;
    } catch (error) {
      assert.match((error as Error).message, /journal\.lmdb is (damaged|not a journal|a file of)/);
      assert.ok((error as { fix?: string }).fix, String(error));
      return true;
    }
  }

  it('is sound before it is damaged, and every command works', async (t) => {
    assert.equal(await runAll(copyOf(t, folder)), '');
  });

  for (const bytes of [0, 4096, 40_960]) {
    it(`cut to ${bytes} bytes: every command says so in one line`, async (t) => {
      const copy = copyOf(t, folder);
      truncateSync(journalOf(copy), bytes);
      assert.match(await runAll(copy), /journal\.lmdb is damaged: .*cut short.*; restore a/);
    });
  }

  it('cut anywhere before the end of the last page in use', (t) => {
    const cuts = Array.from({ length: 50 }, (_, i) => Math.floor((i * pages) / 50) * 4096);
    for (const bytes of [1, 24, 27, 28, 100, 4095, 4200, 8192, ...cuts, pages * 4096 - 1]) {
      assert.ok(
        isRefused(t, (path) => truncateSync(path, bytes)),
        `${bytes} bytes`,
      );
    }
  });

  it('with both of the pages that describe it, or one, overwritten', (t) => {
    for (const numbers of [[0], [1], [0, 1]]) {
      const refused = isRefused(t, (path) => {
        for (const number of numbers) overwrite(path, number, Buffer.alloc(4096));
      });
      assert.ok(refused, `pages ${numbers}`);
    }
  });

  it('with pages swapped, blank or of chance: never a signal, and check says what serve says', async (t) => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const copy = copyOf(t, folder);
      const way = damage(journalOf(copy), seed);
      await assert.doesNotReject(runAll(copy), way);
    }
  });

  it('whatever the damage, the look at the file ends with a finding or with none', (t) => {
    let found = 0;
    for (let seed = 1000; seed < 1000 + SEEDS_WITHOUT_COMMANDS; seed++) {
      if (isRefused(t, (path) => void damage(path, seed))) found++;
    }
    // What it does not find are changed values, and pages that are not in use.
    assert.ok(found > SEEDS_WITHOUT_COMMANDS / 4, `${found} of ${SEEDS_WITHOUT_COMMANDS}`);
  });
});

function overwrite(path: string, page: number, content: Buffer): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, content, 0, content.length, page * 4096);
  closeSync(descriptor);
}
