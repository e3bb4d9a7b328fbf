import assert from 'node:assert/strict';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runAll, serveOn, shown } from '../damage/commands.js';
import { copyOf, temporaryFolder, usedFolder } from '../damage/used-folder.js';
import { ledgerHandler } from '../drain/handlers.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

/** Posts orders one after another on several connections until it is stopped; resolves with the accepted ids. */
function load(url: string, connections = 8) {
  const client = new OrderClient(url, connections);
  const accepted: string[] = [];
  let isOn = true;
  const lanes = Array.from({ length: connections }, async (_, lane) => {
    for (let n = 0; isOn; n++) {
      const { status, id } = await client.post(`lane ${lane} order ${n}`);
      if (status === 200) accepted.push(id);
    }
  });
  return {
    accepted,
    stop: async () => {
      isOn = false;
      await Promise.all(lanes);
      client.close();
    },
  };
}

/** Serves the backup until nothing waits; resolves with how often the handler had each order. */
async function timesInRestored(t: Parameters<typeof startForebay>[1] & object, folder: string) {
  const handler = await ledgerHandler(t.owner!);
  const forebay = await startForebay(['--handler', handler.file], { ...t, data: folder });
  await eventually('nothing waits any more', async () => {
    return (await metric(forebay, 'forebay_journal_pending_orders')) === 0;
  });
  assert.equal(await forebay.stop(), 0);
  const times = new Map<string, number>();
  for (const { id } of await handler.lines()) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}

describe('forebay backup', () => {
  it('under load, without a drain: what was accepted before is there, each order once', async (t) => {
    const data = temporaryFolder(t);
    const forebay = await startForebay(['--drain', 'off'], { owner: t, data });
    const orders = load(forebay.url);
    await eventually('orders are accepted', () => orders.accepted.length > 300);
    const before = [...orders.accepted];
    const target = join(temporaryFolder(t), 'backup');
    const made = await runForebay(['backup', target, '--data', data]);
    await orders.stop();
    assert.equal(made.code, 0, shown(made));
    assert.match(made.stdout, /^backed up \S+ to \S+: \d+ orders waiting, 0 dead letters, .*\n$/);
    assert.equal(made.stderr, '');
    await forebay.kill9();
    const known = new Set(orders.accepted);
    const times = await timesInRestored({ owner: t }, target);
    assert.deepEqual(
      before.filter((id) => times.get(id) !== 1),
      [],
    );
    assert.ok([...times.keys()].every((id) => known.has(id)));
    assert.ok([...times.values()].every((count) => count === 1));
  });

  it('under load, with a drain: what was done before is not done again, and nothing is missing', async (t) => {
    const data = temporaryFolder(t);
    const handler = await ledgerHandler(t);
    const flags = ['--handler', handler.file, '--drain-rate', '400'];
    const forebay = await startForebay(flags, { owner: t, data });
    const orders = load(forebay.url);
    for (let round = 0; round < 3; round++) {
      const wanted = orders.accepted.length + 200;
      await eventually('orders are accepted', () => orders.accepted.length > wanted);
      // What is settled shows a moment after the handler had it; the receipt says it for certain.
      const before = [...orders.accepted];
      const settled: string[] = [];
      await eventually('some are settled', async () => {
        for (const id of before.slice(0, 100)) {
          const answer = await fetch(`${forebay.url}/orders/${id}`);
          if (((await answer.json()) as { status?: string }).status === 'done') settled.push(id);
        }
        return settled.length > 0;
      });
      const target = join(temporaryFolder(t), 'backup');
      const made = await runForebay(['backup', target, '--data', data]);
      assert.equal(made.code, 0, shown(made));
      const doneThere = new Set((await handler.lines()).map(({ id }) => id));
      const times = await timesInRestored({ owner: t }, target);
      assert.deepEqual(
        settled.filter((id) => times.has(id)),
        [],
      );
      assert.deepEqual(
        before.filter((id) => !times.has(id) && !doneThere.has(id)),
        [],
      );
      assert.ok([...times.values()].every((count) => count === 1));
    }
    await orders.stop();
    assert.equal(await forebay.stop(), 0);
  });

  it('of a folder that no server uses, also after kill -9', async (t) => {
    const data = temporaryFolder(t);
    const forebay = await startForebay(['--drain', 'off'], { owner: t, data });
    const client = new OrderClient(forebay.url);
    const answers = await client.postAll(Array.from({ length: 40 }, (_, i) => `user ${i}`));
    client.close();
    await forebay.kill9();
    const target = temporaryFolder(t);
    const made = await runForebay(['backup', target, '--data', data]);
    assert.equal(made.code, 0, shown(made));
    assert.match(made.stdout, /: 40 orders waiting,/);
    const times = await timesInRestored({ owner: t }, target);
    assert.deepEqual([...times.keys()].sort(), answers.map(({ id }) => id).sort());
    assert.equal(await serveOn(data), '');
  });

  it('a damaged first record of a segment does not hide the records behind it', async (t) => {
    const data = temporaryFolder(t);
    const forebay = await startForebay(['--drain', 'off', '--threads', '1'], { owner: t, data });
    const client = new OrderClient(forebay.url, 1);
    await client.post('in the first record');
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await client.post(`user ${n}`));
    client.close();
    await forebay.kill9();
    const frames = join(data, 'frames');
    for (const name of readdirSync(frames)) {
      const bytes = readFileSync(join(frames, name));
      // A part of the magic number.
      bytes[1] = bytes[1]! ^ 0xff;
      if (bytes[0] !== 0) writeFileSync(join(frames, name), bytes);
    }
    const target = temporaryFolder(t);
    const made = await runForebay(['backup', target, '--data', data]);
    assert.equal(made.code, 0, shown(made));
    const times = await timesInRestored({ owner: t }, target);
    assert.deepEqual(
      answers.filter(({ id }) => times.get(id) !== 1),
      [],
    );
  });

  it('a backup that was interrupted, cut short or is not empty: one line', async (t) => {
    const data = temporaryFolder(t);
    const forebay = await startForebay(['--drain', 'off'], { owner: t, data });
    const target = temporaryFolder(t);
    const made = await runForebay(['backup', target, '--data', data]);
    assert.equal(made.code, 0, shown(made));
    const again = await runForebay(['backup', target, '--data', data]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^forebay: backup of .* is not empty; .*\n$/);
    for (const [place, what] of [
      [join(data, 'inside'), /inside is inside the data folder; /],
      [join(target, 'no', 'disk'), /there is no folder .*no; /],
    ] as const) {
      const misplaced = await runForebay(['backup', place, '--data', data]);
      assert.equal(misplaced.code, 1);
      assert.match(misplaced.stderr, what);
      assert.ok(!existsSync(place));
    }
    await forebay.kill9();
    const interrupted = copyOf(t, target);
    writeFileSync(join(interrupted, 'backup-incomplete'), '');
    assert.match(await serveOn(interrupted), /it is a backup that was interrupted; remove it/);
    const torn = copyOf(t, target);
    truncateSync(join(torn, 'journal.lmdb'), 12_288);
    assert.match(await serveOn(torn), /is damaged: it is cut short/);
    // A backup can be copied anywhere.
    assert.equal(await serveOn(copyOf(t, target)), '');
    assert.deepEqual(readdirSync(target).sort(), ['journal.lmdb', 'journal.lmdb-lock']);
  });

  it('a segment that is a link which leads nowhere: one line, as with serve and check', async (t) => {
    const data = await usedFolder(t);
    const link = join(data, 'frames', '0123456789abcdef.full');
    symlinkSync(join(data, 'gone'), link);
    const made = await runForebay(['backup', join(temporaryFolder(t), 'b'), '--data', data]);
    assert.equal(made.code, 1, shown(made));
    assert.match(made.stderr, /^forebay: backup of .*ENOENT.*; remove the link \S+\.full\n$/);
    assert.match(await runAll(data), /ENOENT.*remove the link \S+\.full$/);
    rmSync(link);
    assert.equal(await runAll(data), '');
  });

  it('wrong usage and a folder without a journal: one line', async (t) => {
    const usage = await runForebay(['backup']);
    assert.equal(usage.code, 2);
    assert.match(usage.stderr, /^forebay: backup: expected exactly one folder.*usage: .*\n$/);
    const none = await runForebay([
      'backup',
      join(temporaryFolder(t), 'b'),
      '--data',
      temporaryFolder(t),
    ]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^forebay: backup of .*: there is no journal; .*\n$/);
  });
});
