import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { runCheck } from '../cli/check/run-check.js';
import { runDlq } from '../cli/dlq/in-process.js';
import { flip } from '../journal/damaged-segments.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const FLAGS = ['--threads', '1', '--workers', '1'];

function folder(t: TestContext): string {
  const data = mkdtempSync(join(tmpdir(), 'forebay-damage-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

function start(t: TestContext, data: string, ...flags: string[]): Promise<ForebayProcess> {
  const owner = { after: (end: () => Promise<void>) => t.after(end) };
  return startForebay([...FLAGS, '--data', data, ...flags], { owner, data });
}

/** Posts one after the other. @returns the ids */
async function post(forebay: ForebayProcess, count: number): Promise<string[]> {
  const client = new OrderClient(forebay.url, 1);
  const ids: string[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const { status, id } = await client.post(`user-${i}`);
      assert.equal(status, 200);
      ids.push(id);
    }
    return ids;
  } finally {
    client.close();
  }
}

async function receipt(forebay: ForebayProcess, id: string): Promise<string> {
  const answer = await fetch(`${forebay.url}/orders/${id}`);
  return (
    ((await answer.json()) as { status?: string; result?: string }).status ?? `${answer.status}`
  );
}

async function degraded(forebay: ForebayProcess): Promise<string> {
  const answer = await fetch(`${forebay.adminUrl.replace(/\/metrics$/, '')}/readyz`);
  assert.equal(answer.status, 200);
  return String(((await answer.json()) as { degraded?: string[] }).degraded ?? '');
}

/** Inverts a bit of the username wherever it is in the file: pages that are not in use can have it too. */
function damage(path: string, username: string): void {
  const bytes = readFileSync(path);
  const mark = `"${username}"`;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) flip(path, at + 1);
}

interface Killed {
  readonly data: string;
  readonly ids: readonly string[];
  /** Index of an order that has another behind it in its segment. */
  readonly victim: number;
  readonly segment: string;
}

async function killedServer(t: TestContext): Promise<Killed> {
  const data = folder(t);
  const server = await start(t, data, '--drain', 'off');
  const ids = await post(server, 12);
  await server.kill9();
  for (const name of readdirSync(join(data, 'frames'))) {
    const segment = join(data, 'frames', name);
    const bytes = readFileSync(segment);
    const has = (index: number) => bytes.includes(`"user-${index}"`);
    const victim = ids.findIndex((_, index) => has(index) && has(index + 1));
    if (victim >= 0) return { data, ids, victim, segment };
  }
  throw new Error('no order is in the frame log');
}

describe('a server whose stored orders were damaged', () => {
  it('processes all others of a killed server, and reports the damaged one', async (t) => {
    const { data, ids, victim, segment } = await killedServer(t);
    damage(segment, `user-${victim}`);

    const check = await runCheck('--data', data);
    assert.equal(check.code, 0);
    assert.equal(check.about('damage').verdict, 'warn');
    assert.match(check.about('damage').text, /^1 record of the frame log cannot be read/);

    const after = await start(t, data);
    await eventually(
      'the others are done',
      async () => (await metric(after, 'work_done_total{status="done"}')) === 11,
    );
    const receipts = await Promise.all(ids.map((id) => receipt(after, id)));
    assert.deepEqual(
      receipts.filter((_, i) => i !== victim),
      Array.from({ length: 11 }, () => 'done'),
    );
    assert.equal(await metric(after, 'forebay_damaged_files'), 1);
    await eventually(
      'nothing is pending',
      async () => (await metric(after, 'forebay_journal_pending_orders')) === 0,
    );
    assert.match(await degraded(after), /1 files in the folder damaged/);
    assert.match(after.stderr, /log-damaged/);
    const { code, stdout } = await runDlq(['unreadable', '--json', '--data', data]);
    assert.equal(code, 0);
    const entry = JSON.parse(stdout);
    assert.equal(entry.place, 'file');
    assert.ok(ids[victim]!.startsWith(entry.name));
    rmSync(join(data, 'damaged', entry.id));
    assert.equal(await degraded(after), '');
    assert.equal((await runDlq(['unreadable', '--data', data])).stdout, 'no damaged entries\n');
    assert.equal(await after.stop(), 0);
  });

  it('does not process an order with a changed byte in journal.lmdb as another', async (t) => {
    const data = folder(t);
    const before = await start(t, data, '--drain', 'off');
    const ids = await post(before, 5);
    assert.equal(await before.stop(), 0);
    damage(join(data, 'journal.lmdb'), 'user-3');

    const check = await runCheck('--data', data);
    assert.match(check.about('damage').text, /^1 row of the journal cannot be read/);
    assert.equal(check.about('damage').facts.rows, 1);

    const seen = join(data, 'seen');
    const handler = join(data, 'handler.mjs');
    writeFileSync(
      handler,
      `import { appendFileSync } from 'node:fs';
       export default (orders) => {
         for (const { id, data } of orders) appendFileSync(${JSON.stringify(seen)}, id + ' ' + data.username + '\\n');
       };`,
    );
    const after = await start(t, data, '--handler', handler);
    await eventually(
      'the others are done',
      async () => (await metric(after, 'work_done_total{status="done"}')) === 4,
    );
    await eventually(
      'the row was moved',
      async () => (await metric(after, 'forebay_unreadable_rows')) === 1,
    );
    await eventually(
      'nothing is pending',
      async () => (await metric(after, 'forebay_journal_pending_orders')) === 0,
    );
    assert.match(await degraded(after), /1 rows of the journal/);
    assert.equal(await receipt(after, ids[3]!), 'accepted');
    const done = readFileSync(seen, 'utf8').trim().split('\n').sort();
    assert.deepEqual(done, [0, 1, 2, 4].map((i) => `${ids[i]} user-${i}`).sort());

    const letters = await runDlq(['list', '--data', data]);
    assert.match(
      letters.stderr,
      /^1 entries of the journal cannot be read: see forebay dlq unreadable\n$/,
    );
    const listed = await runDlq(['unreadable', '--data', data]);
    const id = /^frames-[0-9a-f]{8}/.exec(listed.stdout)![0];
    assert.match(
      listed.stdout,
      /in the journal {2}frame .*: its checksum does not match\n1 entry\n$/,
    );
    const dry = await runDlq(['set-aside', id, '--dry-run', '--data', data]);
    assert.equal(dry.stdout, `would move ${id} to a file\nwould set aside 1, gone 0\n`);
    const unknown = await runDlq(['set-aside', 'frames-00000000', '--data', data]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /no unreadable row frames-00000000/);
    const moved = await runDlq(['set-aside', '--all', '--data', data]);
    assert.equal(moved.code, 0);
    assert.match(moved.stdout, /set aside 1, gone 0\n$/);
    await eventually(
      'it is no row any more',
      async () => (await metric(after, 'forebay_unreadable_rows')) === 0,
    );
    assert.equal(await metric(after, 'forebay_damaged_files'), 1);
    assert.match((await runCheck('--data', data)).about('damage').text, /^1 file in .*damaged/);
    assert.equal(await after.stop(), 0);
  });

  it('needs ids or --all to set rows aside, and a journal', async (t) => {
    const data = folder(t);
    for (const args of [['set-aside'], ['set-aside', 'x', '--all'], ['unreadable', 'x']]) {
      assert.equal((await runDlq([...args, '--data', data])).code, 2, args.join(' '));
    }
    const none = await runDlq(['unreadable', '--data', data]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /holds no journal/);
  });
});
