import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, it, type TestContext } from 'node:test';
import { runForebay, startForebay } from '../support/forebay.js';
import { OrderClient } from '../support/orders.js';
import { serveOn, shown } from './commands.js';
import { copyOf, temporaryFolder } from './used-folder.js';

const COPY =
  /^forebay: data folder \S+: it is a copy that was made while a server used the folder, since \S+: .*--accept-copy on$/;

async function check(folder: string, ...flags: string[]) {
  const args = ['check', '--data', folder, '--port', '0', '--admin-port', '0', ...flags];
  return runForebay(args);
}

/** A server that has accepted orders and processes none of them. */
async function usedServer(t: TestContext, data = temporaryFolder(t)) {
  const forebay = await startForebay(['--drain', 'off'], { owner: t, data });
  const client = new OrderClient(forebay.url);
  t.after(async () => client.close());
  const answers = await client.postAll(Array.from({ length: 50 }, (_, i) => `user ${i}`));
  assert.ok(answers.every(({ status }) => status === 200));
  return { forebay, data };
}

describe('a copy of a data folder that a server uses', () => {
  it('is refused by serve and check in one line, also if it lacks the lock file', async (t) => {
    const { forebay, data } = await usedServer(t);
    const copy = copyOf(t, data);
    const second = copyOf(t, data);
    rmSync(join(second, 'journal.lmdb-lock'));
    assert.equal(await forebay.stop(), 0);
    for (const folder of [second, copy]) {
      const found = await check(folder);
      assert.equal(found.code, 1, shown(found));
      assert.match(found.stdout, /^fail {2}copy /m);
      assert.match(await serveOn(folder), COPY);
    }
    assert.equal(await serveOn(data), '');
  });

  it('is served with --accept-copy on, which is logged, and then is a folder like any other', async (t) => {
    const { forebay, data } = await usedServer(t);
    const copy = copyOf(t, data);
    await forebay.kill9();
    const found = await check(copy, '--accept-copy', 'on');
    assert.equal(found.code, 0, shown(found));
    assert.match(found.stdout, /^warn {2}copy /m);
    const served = await startForebay(['--accept-copy', 'on'], { owner: t, data: copy });
    assert.match(served.stderr + served.stdout, /"event":"copy-accepted"/);
    await served.kill9();
    assert.equal(await serveOn(copy), '');
  });
});

/** File by file and block by block, as a slow disk or rsync does it while the files change. */
async function slowCopy(from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) await slowCopy(path, join(to, entry.name));
    // A segment can get another name in between.
    else if (entry.isFile() && existsSync(path)) {
      const source = createReadStream(path, { highWaterMark: 128 * 1024 });
      source.on('data', () => {
        source.pause();
        setTimeout(() => source.resume(), 2);
      });
      await pipeline(source, createWriteStream(join(to, entry.name))).catch(() => {});
    }
  }
}

describe('slow copies under load, with a drain', () => {
  it('are refused by serve and check in one line, and dlq does not crash', async (t) => {
    const data = temporaryFolder(t);
    const forebay = await startForebay([], { owner: t, data });
    const client = new OrderClient(forebay.url);
    let isOn = true;
    const lanes = Array.from({ length: 8 }, async () => {
      while (isOn) await client.post('user');
    });
    const copies = [temporaryFolder(t), temporaryFolder(t), temporaryFolder(t)];
    for (const copy of copies) await slowCopy(data, copy);
    isOn = false;
    await Promise.all(lanes);
    client.close();
    assert.equal(await forebay.stop(), 0);
    for (const copy of copies) {
      const found = await check(copy);
      assert.equal(found.code, 1, shown(found));
      assert.match(await serveOn(copy), /^forebay: data folder .*(is a copy that|is damaged)/);
      const list = await runForebay(['dlq', 'list', '--data', copy]);
      assert.equal(list.signal, null, shown(list));
      assert.doesNotMatch(list.stderr, /^\s+at /m);
    }
  });
});

describe('a data folder that is not a copy in use is served without an option', () => {
  it('after kill -9, also if it was moved within its file system', async (t) => {
    const { forebay, data } = await usedServer(t);
    await forebay.kill9();
    assert.equal(await serveOn(data), '');
    const again = await usedServer(t, data);
    await again.forebay.kill9();
    renameSync(data, `${data}-moved`);
    t.after(() => rmSync(`${data}-moved`, { recursive: true, force: true }));
    assert.equal(await serveOn(`${data}-moved`), '');
  });

  it('after a stop, wherever it is copied to', async (t) => {
    const { forebay, data } = await usedServer(t);
    assert.equal(await forebay.stop(), 0);
    const places = [temporaryFolder(t), temporaryFolder(t)] as const;
    cpSync(data, join(places[0], 'data'), { recursive: true });
    execFileSync('cp', ['-a', data, join(places[1], 'data')]);
    for (const place of places) {
      const folder = join(place, 'data');
      const found = await check(folder);
      assert.equal(found.code, 0, shown(found));
      assert.match(found.stdout, /50 orders wait/);
      assert.equal(await serveOn(folder), '');
    }
  });
});
