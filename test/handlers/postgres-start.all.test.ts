import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { runForebay, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { PostgresServer } from '../support/postgres.js';

const PASSWORD = 'gr3atSecret';

let postgres: PostgresServer;

before(async () => {
  postgres = await PostgresServer.start();
  await postgres.query(`
    CREATE ROLE shop LOGIN PASSWORD '${PASSWORD}';
    CREATE ROLE reader LOGIN;
    GRANT USAGE ON SCHEMA public TO reader`);
  // The first matching line counts.
  const file = join(postgres.folder, 'data', 'pg_hba.conf');
  const lines = await readFile(file, 'utf8');
  await writeFile(file, `host all shop 127.0.0.1/32 scram-sha-256\n${lines}`);
  await appendFile(join(postgres.folder, 'data', 'postgresql.conf'), 'synchronous_commit = off\n');
  await postgres.query('SELECT pg_reload_conf()');
});
after(() => postgres.stop());

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'forebay-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Starts with a URL that must be rejected: one line without the password, exit code 2. */
async function refusal(t: TestContext, url: string): Promise<string> {
  const ports = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
  const sink = ['--handler', 'postgres', '--postgres-url', url];
  const args = ['serve', ...ports, '--data', await folder(t), ...sink];
  const { code, stdout, stderr } = await runForebay(args);
  assert.ok(!`${stdout}${stderr}`.includes(PASSWORD), stderr);
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0]!, /^forebay: handler postgres: .*--postgres-url/);
  assert.equal(code, 2);
  return lines[0]!;
}

/** A URL with a password. */
function withPassword(password: string, database = 'postgres'): string {
  return postgres.url(database, 'shop').replace('shop@', `shop:${password}@`);
}

describe('a database with a wrong configuration prevents the start, with one line', () => {
  it('a wrong password', async (t) => {
    const line = await refusal(t, withPassword(`${PASSWORD}x`));
    assert.match(line, /PostgreSQL shop@127\.0\.0\.1:\d+\/postgres: .*password.*shop.*28P01/);
  });

  it('no password if one is required', async (t) => {
    assert.match(await refusal(t, postgres.url('postgres', 'shop')), /password/);
  });

  it('a user that does not exist', async (t) => {
    assert.match(await refusal(t, postgres.url('postgres', 'nobody')), /"nobody" does not exist/);
  });

  it('a database that does not exist', async (t) => {
    const line = await refusal(t, withPassword(PASSWORD, 'warehouse'));
    assert.match(line, /"warehouse" does not exist/);
  });

  it('no permission to create the table, or to insert into it', async (t) => {
    assert.match(await refusal(t, postgres.url('postgres', 'reader')), /permission denied/);
    await postgres.query('CREATE DATABASE museum');
    await postgres.query(
      'CREATE TABLE forebay_orders (order_id text PRIMARY KEY); GRANT SELECT ON forebay_orders TO reader',
      'museum',
    );
    assert.match(await refusal(t, postgres.url('museum', 'reader')), /42501|42703/);
  });

  it('a table of the same name with other columns', async (t) => {
    await postgres.query('CREATE DATABASE other');
    await postgres.query('CREATE TABLE forebay_orders (id int)', 'other');
    assert.match(await refusal(t, postgres.url('other')), /forebay_orders/);
  });

  it('an invalid URL', async (t) => {
    const line = await refusal(t, `postgres://shop:${PASSWORD}%zz@127.0.0.1:x/postgres`);
    assert.match(line, /not a valid URL/);
  });

  it('a server without TLS although the URL requires it', async (t) => {
    assert.match(await refusal(t, `${postgres.url()}?sslmode=verify-full`), /SSL/);
  });
});

describe('a database that is unreachable at the start', () => {
  it('does not prevent the start: orders are accepted, and inserted once it is reachable', async (t) => {
    const later = await PostgresServer.prepare();
    t.after(() => later.stop());
    const flags = ['--handler', 'postgres', '--postgres-url', later.url(), '--attempts-max', '1'];
    const forebay = await startForebay([...flags, '--workers', '4'], { owner: t });
    const client = new OrderClient(forebay.url);
    const usernames = Array.from({ length: 300 }, (_, i) => `early-${i}`);
    const answers = await client.postAll(usernames);
    client.close();
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    await eventually('/readyz has the reason', async () => {
      const ready = await fetch(`${forebay.adminUrl}/readyz`);
      return ready.ok && (await ready.text()).includes('ECONNREFUSED');
    });
    await later.start();
    await eventually(
      'all are done',
      async () => (await metric(forebay, 'work_done_total{status="done"}')) === 300,
    );
    const [row] = await later.query(
      'SELECT count(*)::int AS n, max(attempt) AS a FROM forebay_orders',
    );
    assert.deepEqual(row, { n: 300, a: 1 });
    assert.equal(await forebay.stop(), 0);
  });

  it('or accepts connections but does not answer, like a frozen server', async (t) => {
    postgres.freeze();
    t.after(() => postgres.thaw());
    const url = postgres.url();
    const forebay = await startForebay(['--handler', 'postgres', '--postgres-url', url], {
      owner: t,
    });
    assert.match(forebay.stderr, /the handler is paused: PostgreSQL .*retrying/);
    postgres.thaw();
    assert.equal(await forebay.stop(), 0);
  });

  it('is answered with 503 in direct mode', async (t) => {
    const url = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`;
    const flags = ['--mode', 'direct', '--handler', 'postgres', '--postgres-url', url];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    const answers = await client.postAll(['one', 'two', 'three']);
    client.close();
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([503]));
    assert.equal(await forebay.stop(), 0);
  });
});

describe('a connection to the database', () => {
  it('with permission to insert but not to create uses an existing table, and commits to disk', async (t) => {
    await postgres.query('CREATE DATABASE prepared');
    await postgres.query(
      `CREATE TABLE forebay_orders (order_id text PRIMARY KEY, product_id smallint, count smallint,
         username text, accepted_at timestamptz, attempt smallint,
         committed text DEFAULT current_setting('synchronous_commit'));
       GRANT SELECT, INSERT ON forebay_orders TO shop`,
      'prepared',
    );
    const flags = ['--handler', 'postgres', '--postgres-url', withPassword(PASSWORD, 'prepared')];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    await client.post('one');
    client.close();
    await eventually(
      'it is done',
      async () => (await metric(forebay, 'work_done_total{status="done"}')) === 1,
    );
    const found = await postgres.query('SELECT committed FROM forebay_orders', 'prepared');
    assert.deepEqual(found, [{ committed: 'on' }]);
    assert.equal(await forebay.stop(), 0);
  });
});
