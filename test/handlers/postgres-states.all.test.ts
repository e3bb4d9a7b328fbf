import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { PostgresServer } from '../support/postgres.js';
import { isEmpty } from './ledger.js';

let postgres: PostgresServer;

before(async () => {
  postgres = await PostgresServer.start();
});
after(() => postgres.stop());

let databases = 0;

async function newDatabase(): Promise<string> {
  const name = `states_${databases++}`;
  await postgres.query(`CREATE DATABASE ${name}`);
  return name;
}

function open(t: TestContext, database: string, flags: string[] = []): Promise<ForebayProcess> {
  const sink = ['--handler', 'postgres', '--postgres-url', postgres.url(database)];
  return startForebay([...sink, ...flags], { owner: t });
}

/** From now on, an order of the user `bad` runs this. */
async function refuseBad(database: string, statement: string): Promise<void> {
  await postgres.query(
    `CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN IF NEW.username = 'bad' THEN ${statement}; END IF; RETURN NEW; END $$;
     CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON forebay_orders
       FOR EACH ROW EXECUTE FUNCTION refuse()`,
    database,
  );
}

async function post(forebay: ForebayProcess, usernames: readonly string[]): Promise<void> {
  const client = new OrderClient(forebay.url);
  const answers = await client.postAll(usernames);
  client.close();
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
}

async function names(database: string): Promise<string[]> {
  const rows = await postgres.query<{ username: string }>(
    'SELECT username FROM forebay_orders',
    database,
  );
  return rows.map(({ username }) => username).sort();
}

const QUICK = ['--retry-ms-min', '20', '--retry-ms-max', '50'];

describe('an order for which code in the database raises', () => {
  for (const [what, statement] of [
    ['an SQLSTATE of its own', `RAISE 'no' USING ERRCODE = 'SH001'`],
    ['case_not_found', `CASE NEW.count WHEN -1 THEN NULL; END CASE`],
    ['program_limit_exceeded', `RAISE 'no' USING ERRCODE = '54000'`],
    ['object_not_in_prerequisite_state', `RAISE 'no' USING ERRCODE = '55000'`],
    ['undefined_table', `PERFORM 1 FROM nothing_of_that_name`],
    ['insufficient_privilege', `RAISE 'not for you' USING ERRCODE = '42501'`],
    ['feature_not_supported', `RAISE 'no' USING ERRCODE = '0A000'`],
  ] as const) {
    it(`${what} is a dead letter after its attempts, and its neighbours are done`, async (t) => {
      const database = await newDatabase();
      const forebay = await open(t, database, [...QUICK, '--attempts-max', '2']);
      await refuseBad(database, statement);
      const good = Array.from({ length: 75 }, (_, i) => `good-${i}`);
      await post(forebay, [...good.slice(0, 40), 'bad', ...good.slice(40)]);
      await eventually('it is dead', async () => {
        return (await metric(forebay, 'forebay_dead_total')) === 1;
      });
      await eventually('the journal is empty', () => isEmpty(forebay));
      assert.deepEqual(await names(database), good.sort());
      assert.equal(await forebay.stop(), 0);
    });
  }

  it('nothing, but times out each time: the same', async (t) => {
    const database = await newDatabase();
    const flags = ['--attempts-max', '1', '--workers', '1', '--batch-orders-max', '4'];
    const forebay = await open(t, database, flags);
    await refuseBad(database, 'PERFORM pg_sleep(60)');
    const good = Array.from({ length: 20 }, (_, i) => `good-${i}`);
    await post(forebay, [...good.slice(0, 9), 'bad', ...good.slice(9)]);
    await eventually('it is dead', async () => (await metric(forebay, 'forebay_dead_total')) === 1);
    await eventually('the journal is empty', () => isEmpty(forebay));
    assert.deepEqual(await names(database), good.sort());
    assert.equal(await forebay.stop(), 0);
  });
});

describe('a trigger that raises for every order', () => {
  it('because its own table is missing: uses up no attempt, however long it lasts', async (t) => {
    const database = await newDatabase();
    const forebay = await open(t, database, ['--attempts-max', '1']);
    await postgres.query(
      `CREATE TABLE audit (order_id text);
       CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO audit VALUES (NEW.order_id); RETURN NEW; END $$;
       CREATE TRIGGER note BEFORE INSERT ON forebay_orders FOR EACH ROW EXECUTE FUNCTION note()`,
      database,
    );
    const before = Array.from({ length: 10 }, (_, i) => `before-${i}`);
    await post(forebay, before);
    await eventually('the journal is empty', () => isEmpty(forebay));
    await postgres.query('ALTER TABLE audit RENAME TO elsewhere', database);
    const later = Array.from({ length: 40 }, (_, i) => `later-${i}`);
    await post(forebay, later);
    await eventually('the pool pauses', async () => {
      return (await metric(forebay, 'forebay_drain_paused')) === 1;
    });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.equal(await metric(forebay, 'forebay_dead_total'), 0);
    assert.match(forebay.stderr, /handler-away.*42P01/);
    await postgres.query('ALTER TABLE elsewhere RENAME TO audit', database);
    await eventually('the journal is empty', () => isEmpty(forebay));
    assert.deepEqual(await names(database), [...before, ...later].sort());
    assert.equal(await metric(forebay, 'forebay_dead_total'), 0);
    const audited = await postgres.query('SELECT order_id FROM audit', database);
    assert.equal(audited.length, before.length + later.length);
    assert.equal(await forebay.stop(), 0);
  });
});

describe('waiting for a lock', () => {
  it('uses up no attempt, however long it lasts', async (t) => {
    const database = await newDatabase();
    const forebay = await open(t, database, ['--attempts-max', '1']);
    const url = postgres.url(database);
    const { default: pg } = await import('pg');
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    t.after(() => holder.end());
    await holder.query('BEGIN; LOCK TABLE forebay_orders IN EXCLUSIVE MODE');
    const good = Array.from({ length: 10 }, (_, i) => `good-${i}`);
    await post(forebay, good);
    await new Promise((resolve) => setTimeout(resolve, 14_000));
    assert.equal(await metric(forebay, 'forebay_dead_total'), 0);
    await holder.query('COMMIT');
    await eventually('the journal is empty', () => isEmpty(forebay));
    assert.deepEqual(await names(database), good);
    assert.equal(await metric(forebay, 'forebay_dead_total'), 0);
    assert.equal(await forebay.stop(), 0);
  });
});

describe('an error before any order is inserted', () => {
  it('is a configuration error, whatever its SQLSTATE, and uses up no attempt', async (t) => {
    const database = await newDatabase();
    const first = await open(t, database);
    await first.stop();
    await postgres.query(
      `CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE 'closed' USING ERRCODE = 'SH001'; END $$;
       CREATE TRIGGER raises BEFORE INSERT ON forebay_orders
         FOR EACH STATEMENT EXECUTE FUNCTION raises()`,
      database,
    );
    const url = postgres.url(database);
    const args = ['--port', '0', '--admin-port', '0', '--data', `${postgres.folder}/forebay`];
    const sink = ['--handler', 'postgres', '--postgres-url', url];
    const { code, stderr } = await runForebay(['serve', ...args, ...sink]);
    assert.match(stderr, /^forebay: handler postgres: PostgreSQL .*: closed \(SH001\); fix: /m);
    assert.equal(code, 2);
  });
});
