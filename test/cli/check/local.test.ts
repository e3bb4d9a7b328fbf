import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startForebay } from '../../support/forebay.js';
import { eventually, metric, OrderClient } from '../../support/orders.js';
import { contents, runCheck, temporaryFolder } from './run-check.js';

const names = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`);

describe('forebay check with the local journal', () => {
  it('without a data folder: no failure, and nothing is created', async (t) => {
    const folder = temporaryFolder(t);
    const { code, findings, about } = await runCheck('--data', join(folder, 'a', 'b'));
    assert.equal(code, 0);
    assert.deepEqual(
      findings.filter(({ verdict }) => verdict === 'fail'),
      [],
    );
    assert.match(about('data folder').text, /would be created/);
    assert.match(about('journal').text, /does not exist, would be created/);
    assert.match(about('guarantee').text, /^(fsync|none): local journal/);
    assert.match(about('versions').text, /forebay \d.* node v\d.* uWebSockets\.js \d.* lmdb \d/);
    assert.equal(about('handler').verdict, 'ok');
    assert.deepEqual(contents(folder), []);
  });

  it('beside a running server: counts waiting orders, says what is in use, and does not disturb the server', async (t) => {
    const forebay = await startForebay(['--drain', 'off'], { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(async () => client.close());
    await client.postAll(names(40));
    const [port, adminPort] = [forebay.url, forebay.adminUrl].map((url) => new URL(url).port);
    const flags = ['--data', forebay.data, '--port', port!, '--admin-port', adminPort!];
    const { code, about } = await runCheck(...flags);
    assert.equal(code, 0);
    for (const what of ['port', 'admin port', 'data folder']) {
      assert.equal(about(what).verdict, 'warn');
      assert.match(about(what).text, /in use by a running Forebay/);
    }
    assert.equal(about('journal').facts.orders, 40);
    await client.postAll(names(7));
    assert.equal((await runCheck('--data', forebay.data)).about('journal').facts.orders, 47);
    await eventually(
      'the server counts as many',
      async () => (await metric(forebay, 'forebay_journal_pending_orders')) === 47,
    );
    assert.equal(await forebay.stop(), 0);
  });

  it('after a kill -9: counts waiting orders, and changes no file', async (t) => {
    const data = temporaryFolder(t);
    const forebay = await startForebay(['--drain', 'off'], { owner: t, data });
    const client = new OrderClient(forebay.url);
    await client.postAll(names(30));
    client.close();
    await forebay.kill9();
    const before = contents(data);
    for (let i = 0; i < 3; i++) {
      const { code, about } = await runCheck('--data', data);
      assert.equal(code, 0);
      assert.equal(about('data folder').verdict, 'ok');
      assert.equal(about('journal').facts.orders, 30);
      assert.match(
        about('journal').text,
        /30 orders wait, the oldest for \d+ seconds; 0 dead letters/,
      );
    }
    assert.deepEqual(contents(data), before);

    // A copy without the lock file of LMDB, which check must not create.
    const copy = temporaryFolder(t);
    copyFileSync(join(data, 'journal.lmdb'), join(copy, 'journal.lmdb'));
    const { about } = await runCheck('--data', copy);
    assert.match(about('journal').text, /not read: its lock file is missing/);
    assert.deepEqual(
      contents(copy).map((line) => line.split(' ')[0]),
      ['journal.lmdb'],
    );

    const again = await startForebay([], { owner: t, data });
    assert.equal(await again.stop(), 0);
  });

  it('counts dead letters', async (t) => {
    const data = temporaryFolder(t);
    const handler = join(temporaryFolder(t), 'dead.mjs');
    writeFileSync(handler, `export default (orders) => orders.map(() => 'dead');`);
    const forebay = await startForebay(['--handler', handler], { owner: t, data });
    const client = new OrderClient(forebay.url);
    await client.postAll(names(12));
    client.close();
    assert.equal(await forebay.stop(), 0);
    const { about } = await runCheck('--data', data, '--handler', handler);
    const { orders, deadLetters } = about('journal').facts as Record<string, number>;
    assert.equal(orders! + deadLetters!, 12);
  });

  it('folders that cannot be used fail', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'file'), 'x');
    const isFile = await runCheck('--data', join(folder, 'file', 'data'));
    assert.equal(isFile.code, 1);
    assert.match(isFile.about('data folder').text, /is not a folder/);
    mkdirSync(join(folder, 'foreign'));
    writeFileSync(
      join(folder, 'foreign', 'journal.lmdb'),
      'not what LMDB writes, and long enough to tell',
    );
    const foreign = await runCheck('--data', join(folder, 'foreign'));
    assert.equal(foreign.code, 1);
    assert.match(foreign.about('data folder').text, /is not a journal/);
  });

  it('a nearly full disk is a warning, a full one fails', async (t) => {
    if (process.getuid?.() !== 0) {
      t.skip('mounting a small file system needs root');
      return;
    }
    const disk = mkdtempSync(join(tmpdir(), 'forebay-check-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'none', disk]);
    t.after(() => {
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    });
    assert.equal((await runCheck('--data', disk)).about('disk space').verdict, 'warn');
    for (const [mib, text] of [
      [24, /below 32 MiB orders are answered 503$/],
      [40, /below 16 MiB serve does not start$/],
    ] as const) {
      writeFileSync(join(disk, 'fill'), Buffer.alloc(mib * 1024 ** 2));
      const { code, about } = await runCheck('--data', disk);
      assert.equal(code, 1);
      assert.equal(about('disk space').verdict, 'fail');
      assert.match(about('disk space').text, text);
      assert.match(about('disk space').fix, /--data/);
      rmSync(join(disk, 'fill'));
    }
  });
});

describe('forebay check and the ports', () => {
  it('a port that another program uses fails, with a fix', async (t) => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    t.after(() => new Promise((resolve) => server.close(resolve)));
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const data = ['--data', join(temporaryFolder(t), 'none')];
    const orders = await runCheck(...data, '--port', `${port}`, '--admin-port', '0');
    assert.equal(orders.code, 1);
    assert.equal(orders.about('port').verdict, 'fail');
    assert.match(orders.about('port').fix, /another --port/);
    const admin = await runCheck(...data, '--port', '0', '--admin-port', `${port}`);
    assert.equal(admin.code, 1);
    assert.match(admin.about('admin port').fix, /another --admin-port/);
  });

  it('an address of another machine fails', async (t) => {
    const data = ['--data', join(temporaryFolder(t), 'none')];
    const { code, about } = await runCheck(...data, '--host', '192.0.2.1');
    assert.equal(code, 1);
    assert.match(about('port').text, /EADDRNOTAVAIL/);
  });
});
