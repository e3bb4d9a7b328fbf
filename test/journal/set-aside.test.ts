import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  setAside,
  setAsideNames,
  TORN_BYTES_MAX,
  TORN_FILES_MAX,
} from '../../src/journal/store/set-aside.js';

const FACTS = { what: 'log record', from: 'segment a', name: '', reason: 'incomplete' };

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-set-aside-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Each is a second older than the next. */
function put(folder: string, n: number, kind: 'damaged' | 'torn', bytes: Uint8Array): void {
  const path = setAside(folder, `file-${String(n).padStart(4, '0')}`, kind, FACTS, bytes);
  utimesSync(path, 1_000_000 + n, 1_000_000 + n);
}

describe('ends of interrupted writes that were set aside', () => {
  it('are bounded in number: the oldest go first, and proven damage stays', (t) => {
    const folder = folderOf(t);
    for (let n = 0; n < 3; n++) put(folder, n, 'damaged', Buffer.from('a'));
    for (let n = 0; n < TORN_FILES_MAX + 5; n++) put(folder, n, 'torn', Buffer.from('a'));
    const kept = setAsideNames(folder, 'torn').sort();
    assert.equal(kept.length, TORN_FILES_MAX);
    assert.equal(kept[0], 'file-0005.torn');
    assert.equal(setAsideNames(folder, 'damaged').length, 3);
  });

  it('are bounded in bytes, and the newest stays in any case', (t) => {
    const folder = folderOf(t);
    const size = Math.floor(TORN_BYTES_MAX / 4);
    for (let n = 0; n < 6; n++) put(folder, n, 'torn', Buffer.alloc(size));
    const inFolder = join(folder, 'damaged');
    const bytes = readdirSync(inFolder).map((file) => statSync(join(inFolder, file)).size);
    assert.ok(bytes.reduce((sum, one) => sum + one, 0) <= TORN_BYTES_MAX);
    assert.deepEqual(readdirSync(inFolder).sort(), [
      'file-0003.torn',
      'file-0004.torn',
      'file-0005.torn',
    ]);
    put(folder, 6, 'damaged', Buffer.alloc(size));
    put(folder, 7, 'torn', Buffer.alloc(TORN_BYTES_MAX));
    assert.deepEqual(readdirSync(inFolder).sort(), ['file-0006.damaged', 'file-0007.torn']);
  });
});
