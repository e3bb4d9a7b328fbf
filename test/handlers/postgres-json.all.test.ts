import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it, type TestContext } from 'node:test';
import { runCheck } from '../cli/check/run-check.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { PostgresServer } from '../support/postgres.js';
import { isEmpty } from './ledger.js';

let postgres: PostgresServer;
let folder = '';
before(async () => {
  postgres = await PostgresServer.start();
  folder = await mkdtemp(join(tmpdir(), 'forebay-json-'));
});
after(async () => {
  await rm(folder, { recursive: true });
  await postgres.stop();
});

let database = '';
let databases = 0;
beforeEach(async () => {
  database = `shop_${databases++}`;
  await postgres.query(`CREATE DATABASE ${database}`);
});

const sink = () => ['--handler', 'postgres', '--postgres-url', postgres.url(database)];

async function open(t: TestContext, flags: string[], data?: string): Promise<ForebayProcess> {
  const all = [...sink(), ...flags];
  return startForebay(all, data === undefined ? { owner: t } : { owner: t, data });
}

async function post(forebay: ForebayProcess, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', 'x-shop': 'a "b" \\' };
  const answer = await fetch(`${forebay.url}/orders`, { method: 'POST', headers, body });
  assert.equal(answer.status, 200, body);
  return answer.headers.get('x-order-id')!;
}

/** The rows, with the JSON as PostgreSQL writes it. */
function rows(): Promise<{ order_id: string; data: string; attempt: number }[]> {
  return postgres.query(
    'SELECT order_id, data::text AS data, attempt FROM forebay_json_orders',
    database,
  );
}

const BODIES = [
  '{}',
  '{"a":[1,{"b":null}],"text":"\\" \\\\ {a,b} NULL \' ünï 😀 \\u0041"}',
  '{"big": 12345678901234567890123, "price": 12.50, "small": 1e-7}',
  `{"long":"${'x'.repeat(3000)}"}`,
];

describe('the postgres handler with --schema', () => {
  it('creates a table of its own, and inserts each order as JSON, once', async (t) => {
    const forebay = await open(t, ['--schema', 'true', '--keep-headers', 'x-shop']);
    const ids = await Promise.all(BODIES.map((body) => post(forebay, body)));
    await eventually('the journal is empty', () => isEmpty(forebay));
    const found = new Map((await rows()).map((row) => [row.order_id, row]));
    assert.equal(found.size, BODIES.length);
    for (const [i, id] of ids.entries()) {
      assert.deepEqual(JSON.parse(found.get(id)!.data), JSON.parse(BODIES[i]!));
    }
    const headers = await postgres.query<{ headers: unknown }>(
      'SELECT DISTINCT headers FROM forebay_json_orders',
      database,
    );
    assert.deepEqual(headers, [{ headers: { 'x-shop': 'a "b" \\' } }]);
    // As the client wrote them, and not as JavaScript would.
    const numbers = found.get(ids[2]!)!.data;
    assert.match(numbers, /12345678901234567890123/);
    assert.match(numbers, /12\.50/);
    const [again] = await postgres.query<{ exists: string | null }>(
      `SELECT to_regclass('forebay_orders')::text AS exists`,
      database,
    );
    assert.equal(again!.exists, null);
    assert.equal(await forebay.stop(), 0);
  });

  it('stores the exact text where the operator has made the column json', async (t) => {
    await postgres.query(
      `CREATE TABLE forebay_json_orders (order_id text PRIMARY KEY, data json NOT NULL, headers json NOT NULL,
        accepted_at timestamptz NOT NULL, attempt smallint NOT NULL)`,
      database,
    );
    const forebay = await open(t, ['--schema', 'true']);
    await post(forebay, '{ "b" : 1.0, "a" : "\\u0000 \\ud800" }');
    await eventually('the journal is empty', () => isEmpty(forebay));
    assert.deepEqual(
      (await rows()).map(({ data }) => data),
      ['{"b":1.0,"a":"\\u0000 \\ud800"}'],
    );
  });

  it('makes a dead letter of what jsonb cannot hold, and of nothing else', async (t) => {
    const forebay = await open(t, ['--schema', 'true', '--attempts-max', '2']);
    await Promise.all(['{"a":1}', '{"a":"\\u0000"}', '{"a":2}'].map((body) => post(forebay, body)));
    await eventually('the journal is empty', () => isEmpty(forebay));
    assert.equal((await rows()).length, 2);
    assert.equal(await metric(forebay, 'forebay_dead_letters'), 1);
    const listed = await runForebay(['dlq', 'list', '--json', '--data', forebay.data]);
    assert.match((JSON.parse(listed.stdout) as { reason: string }).reason, /22P05/);
  });

  it('check tells of its table', async (t) => {
    const flags = [...sink(), '--schema', 'true', '--data', join(folder, 'none')];
    const handler = async () => (await runCheck(...flags)).about('handler');
    const before = await handler();
    assert.match(before.text, /no table forebay_json_orders yet; it will be created/);
    const forebay = await open(t, ['--schema', 'true']);
    await forebay.stop();
    assert.match((await handler()).text, /table forebay_json_orders exists/);
  });

  it('an order of another schema does not hold up those of the built-in one', async (t) => {
    const data = join(folder, 'changed');
    const first = await open(t, ['--schema', 'true', '--drain', 'off'], data);
    await post(first, '{"other":1}');
    const id = await post(first, orderBody('ann'));
    await first.stop();
    const second = await open(t, [], data);
    await eventually('the journal is empty', () => isEmpty(second));
    const found = await postgres.query<{ order_id: string; username: string }>(
      'SELECT order_id, username FROM forebay_orders',
      database,
    );
    assert.deepEqual(found, [{ order_id: id, username: 'ann' }]);
    const listed = await runForebay(['dlq', 'list', '--json', '--data', data]);
    const letter = JSON.parse(listed.stdout) as { reason: string; body: string };
    assert.match(letter.reason, /not one of the built-in schema/);
    assert.equal(letter.body, '{"other":1}');
  });

  it('refuses a table that lacks the column in one line, at the start', async () => {
    await writeFile(join(folder, 'schema.json'), '{"type":"object"}');
    await postgres.query('CREATE TABLE forebay_json_orders (order_id text PRIMARY KEY)', database);
    const flags = ['--schema', join(folder, 'schema.json'), '--data', join(folder, 'refused')];
    const ports = ['--port', '0', '--admin-port', '0', '--log-level', 'silent'];
    const { code, stderr } = await runForebay(['serve', ...sink(), ...flags, ...ports]);
    assert.equal(code, 2);
    assert.match(stderr, /^forebay: handler postgres: [^\n]*column "data"[^\n]*; fix: [^\n]*\n$/);
  });
});
