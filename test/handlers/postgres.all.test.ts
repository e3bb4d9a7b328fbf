import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { PostgresServer } from '../support/postgres.js';
import { isEmpty, type Ledger, postUntil, type Row } from './ledger.js';

let postgres: PostgresServer;

before(async () => {
  postgres = await PostgresServer.start();
});
after(() => postgres.stop());

/** Each test has its own database. */
let database = '';
let databases = 0;
beforeEach(async () => {
  database = `shop_${databases++}`;
  await postgres.query(`CREATE DATABASE ${database}`);
});

function open(t: TestContext, flags: string[] = [], data?: string): Promise<ForebayProcess> {
  const sink = ['--handler', 'postgres', '--postgres-url', postgres.url(database)];
  const all = [...sink, ...flags];
  return startForebay(all, data === undefined ? { owner: t } : { owner: t, data });
}

function rows(): Promise<Row[]> {
  return postgres.query<Row>('SELECT * FROM forebay_orders', database);
}

/** Every order that was answered with 200 is in the table once, on its first attempt, and no other rows are. */
async function checkLedger(forebay: ForebayProcess, ledger: Ledger): Promise<void> {
  assert.ok(ledger.accepted.size > 0);
  await eventually('the journal is empty', () => isEmpty(forebay));
  const found = await rows();
  const ids = found.map(({ order_id }) => order_id).sort();
  assert.deepEqual(ids, [...ledger.accepted.keys()].sort());
  for (const row of found) assert.equal(row.username, ledger.accepted.get(row.order_id));
  assert.deepEqual(new Set(found.map(({ attempt }) => attempt)), new Set([1]));
  assert.equal(await metric(forebay, 'forebay_retries_total'), 0);
  assert.equal(await metric(forebay, 'forebay_dead_total'), 0);
  assert.equal(await metric(forebay, 'forebay_handler_thread_deaths_total'), 0);
  assert.deepEqual(new Set(ledger.statuses), new Set([200]));
  assert.doesNotMatch(forebay.stderr, /handler-stray-error/);
}

describe('the postgres handler', () => {
  it('creates its table and inserts each order once, as it was accepted', async (t) => {
    const beganMs = Date.now();
    const forebay = await open(t, ['--workers', '4']);
    const odd = ['"', '\\', '{a,b}', 'NULL', ' ', "o'neil", '日本語', '😀', '\\"', ',,', '$1'];
    const client = new OrderClient(forebay.url);
    const usernames = [...odd, ...Array.from({ length: 2000 }, (_, i) => `user-${i}`)];
    const answers = await client.postAll(usernames);
    client.close();
    await eventually('the journal is empty', () => isEmpty(forebay));
    const found = new Map((await rows()).map((row) => [row.order_id, row]));
    assert.equal(found.size, usernames.length);
    for (const [i, { id }] of answers.entries()) {
      const { product_id, count, username, accepted_at, attempt } = found.get(id)!;
      assert.deepEqual([product_id, count, username, attempt], [33, 3, usernames[i], 1]);
      const acceptedMs = accepted_at.getTime();
      assert.ok(acceptedMs >= beganMs && acceptedMs <= Date.now(), `${accepted_at}`);
    }
    assert.equal(await forebay.stop(), 0);
  });

  it('loses, duplicates and gives up no order if the server is killed under load and restarted', async (t) => {
    const forebay = await open(t, ['--attempts-max', '2', '--workers', '2']);
    const stop = new AbortController();
    const posting = postUntil(stop.signal, forebay.url);
    for (let round = 0; round < 3; round++) {
      await sleep(300 + Math.random() * 300);
      await postgres.kill();
      await sleep(700);
      await postgres.start();
      await eventually(
        'it is ready again',
        async () => (await fetch(`${forebay.adminUrl}/readyz`)).ok,
      );
    }
    stop.abort();
    await checkLedger(forebay, await posting);
    assert.equal(await forebay.stop(), 0);
  });

  it('reconnects without a log line if the connection was closed while it was idle', async (t) => {
    const forebay = await open(t);
    await post(forebay, ['one']);
    await eventually('the journal is empty', () => isEmpty(forebay));
    await postgres.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'forebay' AND datname = '${database}'`,
    );
    await sleep(200);
    await post(forebay, ['two']);
    await eventually('the journal is empty', () => isEmpty(forebay));
    assert.equal((await rows()).length, 2);
    assert.doesNotMatch(forebay.stderr, /the handler is paused|handler-stray-error/);
    assert.equal(await forebay.stop(), 0);
  });

  it('waits for a server that is shut down and started again', async (t) => {
    const forebay = await open(t, ['--attempts-max', '1']);
    const stop = new AbortController();
    const posting = postUntil(stop.signal, forebay.url);
    await sleep(300);
    await postgres.shutDown();
    await eventually('/readyz has the reason', async () => {
      const ready = await fetch(`${forebay.adminUrl}/readyz`);
      return ready.ok && (await ready.text()).includes('ECONNREFUSED');
    });
    await postgres.start();
    await sleep(300);
    stop.abort();
    await checkLedger(forebay, await posting);
    assert.equal(await forebay.stop(), 0);
  });

  for (const [what, frozenMs] of [
    ['5 s', 5000],
    ['longer than it waits for an answer', 12_000],
  ] as const) {
    it(`loses and duplicates no order if the server is frozen for ${what}`, async (t) => {
      const forebay = await open(t, ['--attempts-max', '1']);
      const stop = new AbortController();
      const posting = postUntil(stop.signal, forebay.url);
      await sleep(500);
      postgres.freeze();
      t.after(() => postgres.thaw());
      await sleep(frozenMs);
      postgres.thaw();
      await sleep(500);
      stop.abort();
      await checkLedger(forebay, await posting);
      assert.equal(await forebay.stop(), 0);
    });
  }

  it('stops in order while the server is frozen; the next start processes the rest', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'forebay-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    const first = await open(t, [], data);
    await post(first, ['one', 'two']);
    await eventually('the journal is empty', () => isEmpty(first));
    postgres.freeze();
    t.after(() => postgres.thaw());
    await post(first, ['three']);
    await post(first, ['four']);
    assert.equal(await first.stop(), 0);
    postgres.thaw();
    const second = await open(t, [], data);
    await eventually('the journal is empty', () => isEmpty(second));
    const found = (await rows()).map(({ username, attempt }) => `${username} ${attempt}`);
    assert.deepEqual(found.sort(), ['four 1', 'one 1', 'three 1', 'two 1']);
    assert.equal(await second.stop(), 0);
  });

  it('pauses, without using up an attempt, for errors that are not caused by an order', async (t) => {
    const forebay = await open(t, ['--attempts-max', '1']);
    const stop = new AbortController();
    const posting = postUntil(stop.signal, forebay.url);
    await eventually('it inserts', async () => (await rows()).length > 0);
    for (const sqlstate of [
      '40P01',
      '40001',
      '53100',
      '53300',
      '57014',
      '25006',
      'XX000',
      '42501',
    ]) {
      await refuseAll(sqlstate);
      await sleep(150);
    }
    await postgres.query('DROP TRIGGER refuse ON forebay_orders', database);
    stop.abort();
    await checkLedger(forebay, await posting);
    assert.equal(await forebay.stop(), 0);
  });
});

/** From now on, every insert fails with this SQLSTATE. */
async function refuseAll(sqlstate: string): Promise<void> {
  await postgres.query(
    `CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE 'refused' USING ERRCODE = '${sqlstate}'; END $$;
     CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON forebay_orders
       FOR EACH ROW EXECUTE FUNCTION refuse()`,
    database,
  );
}

describe('a poison order', () => {
  it('that violates a constraint is a dead letter at once, and its neighbours are done', async (t) => {
    const forebay = await open(t);
    await postgres.query(
      `ALTER TABLE forebay_orders ADD CONSTRAINT no_thieves CHECK (username NOT LIKE 'thief%')`,
      database,
    );
    const usernames = Array.from({ length: 300 }, (_, i) =>
      i % 100 === 50 ? `thief-${i}` : `${i}`,
    );
    await post(forebay, usernames);
    await eventually('three are dead', async () => (await metric(forebay, DEAD)) === 3);
    await eventually('the journal is empty', () => isEmpty(forebay));
    assert.equal((await rows()).length, 297);
    assert.equal(await metric(forebay, 'forebay_retries_total'), 0);
    assert.equal(await forebay.stop(), 0);
  });

  it('with a name that the encoding of the database cannot represent is a dead letter at once', async (t) => {
    database = `latin_${databases++}`;
    await postgres.query(
      `CREATE DATABASE ${database} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`,
    );
    const forebay = await open(t);
    await post(forebay, ['José', '日本語', 'Zoë']);
    await eventually('one is dead', async () => (await metric(forebay, DEAD)) === 1);
    await eventually('the journal is empty', () => isEmpty(forebay));
    assert.deepEqual((await rows()).map(({ username }) => username).sort(), ['José', 'Zoë']);
    assert.equal(await forebay.stop(), 0);
  });

  it('for which a trigger raises an exception is retried up to the last attempt', async (t) => {
    const quick = ['--retry-ms-min', '20', '--retry-ms-max', '50', '--attempts-max', '3'];
    const forebay = await open(t, quick);
    await refuseAll('P0001');
    await post(forebay, ['one']);
    await eventually('it is dead', async () => (await metric(forebay, DEAD)) === 1);
    assert.equal(await metric(forebay, 'forebay_retries_total'), 2);
    assert.equal(await forebay.stop(), 0);
  });
});

const DEAD = 'forebay_dead_total';

async function post(forebay: ForebayProcess, usernames: readonly string[]): Promise<void> {
  const client = new OrderClient(forebay.url);
  const answers = await client.postAll(usernames);
  client.close();
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
}
