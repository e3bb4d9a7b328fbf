import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { freePort } from '../../support/free-port.js';
import { PostgresServer } from '../../support/postgres.js';
import { RUNS_ALL } from '../../support/program.js';
import { runCheck, temporaryFolder } from './run-check.js';

async function checkModule(t: TestContext, text: string) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'handler.mjs');
  const mark = join(folder, 'mark');
  writeFileSync(file, text.replaceAll('MARK', JSON.stringify(mark)));
  const found = await runCheck('--data', join(folder, 'none'), '--handler', file);
  return { ...found, isMarked: existsSync(mark) };
}

describe('forebay check and the handler', () => {
  it('a missing file fails with exit code 2, as in serve', async (t) => {
    const data = join(temporaryFolder(t), 'none');
    const { code, about } = await runCheck('--data', data, '--handler', './nowhere.mjs');
    assert.equal(code, 2);
    assert.match(about('handler').text, /nowhere\.mjs: there is no such file/);
  });

  for (const [what, text] of [
    ['without a default export', 'export const handle = () => {};'],
    ['that throws when it is loaded', 'throw new Error("no database");'],
    ['that is not JavaScript', 'export default function {'],
    ['that ends its thread', 'process.exit(3);'],
  ] as const) {
    it(`a module ${what} fails with exit code 2`, async (t) => {
      const { code, about } = await checkModule(t, text);
      assert.equal(code, 2);
      assert.equal(about('handler').verdict, 'fail');
    });
  }

  it('its prepare is not called, its output is hidden, and the result of its check is shown', async (t) => {
    const { code, about, isMarked } = await checkModule(
      t,
      `import { writeFileSync } from 'node:fs';
       console.log('hello from the module');
       export default () => {};
       export const prepare = () => writeFileSync(MARK, '');
       export const check = (context) => 'attempts ' + context.attemptsMax;`,
    );
    assert.equal(code, 0);
    assert.match(about('handler').text, /loads; attempts 5$/);
    assert.equal(isMarked, false);
  });

  it('an error from its check fails: exit code 2, or 1 for an outage', async (t) => {
    const wrong = await checkModule(
      t,
      'export default () => {}; export const check = () => { throw new Error("no key"); };',
    );
    assert.equal(wrong.code, 2);
    const away = await checkModule(
      t,
      'export default () => {}; export const check = () => { throw Object.assign(new Error("shut"), { pause: true }); };',
    );
    assert.equal(away.code, 1);
    assert.match(away.about('handler').text, /shut: serve would start, and orders would wait/);
  });
});

describe('forebay check and the handler postgres', () => {
  it('checks the table and its permissions, and creates nothing', {
    skip: !RUNS_ALL && 'needs PostgreSQL: npm run test:all',
  }, async (t) => {
    const server = await PostgresServer.start();
    t.after(() => server.stop());
    const data = ['--data', join(temporaryFolder(t), 'none'), '--handler', 'postgres'];
    const lookAs = (user: string) =>
      runCheck(...data, '--postgres-url', server.url('postgres', `${user}:hunter2`));
    const tables = () => server.query(`SELECT relname FROM pg_class WHERE relname LIKE 'forebay%'`);

    const none = await lookAs('postgres');
    assert.equal(none.code, 0);
    assert.match(
      none.about('handler').text,
      /no table forebay_orders yet; it will be created in schema public/,
    );
    assert.ok(!none.stdout.includes('hunter2'));
    assert.deepEqual(await tables(), []);

    await server.query(`CREATE ROLE clerk LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    const mayNot = await lookAs('clerk');
    assert.equal(mayNot.code, 2);
    assert.match(mayNot.about('handler').text, /no permission to create it/);

    await server.query(`CREATE TABLE forebay_orders (order_id text)`);
    const columns = await lookAs('postgres');
    assert.equal(columns.code, 2);
    assert.match(columns.about('handler').text, /product_id/);

    await server.query(`
      DROP TABLE forebay_orders;
      CREATE TABLE forebay_orders (order_id text, product_id smallint, count smallint, username text,
        accepted_at timestamptz, attempt smallint, processed_at timestamptz DEFAULT now())`);
    const noKey = await lookAs('postgres');
    assert.equal(noKey.code, 2);
    assert.match(noKey.about('handler').text, /ON CONFLICT/);

    await server.query('ALTER TABLE forebay_orders ADD PRIMARY KEY (order_id)');
    const refused = await lookAs('clerk');
    assert.equal(refused.code, 2);
    assert.match(refused.about('handler').text, /permission denied/);
    const all = await lookAs('postgres');
    assert.equal(all.code, 0);
    assert.match(all.about('handler').text, /table forebay_orders exists/);
  });

  it('an unreachable server fails, without its password in the report', async (t) => {
    const url = `postgres://clerk:hunter2@127.0.0.1:${await freePort()}/shop?password=hunter2`;
    const data = ['--data', join(temporaryFolder(t), 'none')];
    const { code, stdout, about } = await runCheck(
      ...data,
      '--handler',
      'postgres',
      '--postgres-url',
      url,
    );
    assert.equal(code, 1);
    assert.match(about('handler').text, /PostgreSQL clerk@127\.0\.0\.1/);
    assert.ok(!stdout.includes('hunter2'));
  });
});
