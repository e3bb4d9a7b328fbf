import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hrtime } from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { type LedgerHandler, ledgerHandler } from './handlers.js';

const QUICK_RETRIES = ['--retry-ms-min', '20', '--retry-ms-max', '100'];

interface Shop {
  readonly forebay: ForebayProcess;
  readonly handler: LedgerHandler;
}

async function open(t: TestContext, handlerBody: string, flags: string[] = []): Promise<Shop> {
  const handler = await ledgerHandler(t, handlerBody);
  const all = ['--handler', handler.file, ...QUICK_RETRIES, ...flags];
  return { forebay: await startForebay(all, { owner: t }), handler };
}

/** Posts orders and waits until all of them are done or dead; returns the ids by user name. */
async function process(shop: Shop, usernames: readonly string[]): Promise<Map<string, string>> {
  const client = new OrderClient(shop.forebay.url);
  const answers = await client.postAll(usernames);
  client.close();
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
  await eventually('every order is through', async () => {
    const done = await metric(shop.forebay, 'work_done_total{status="done"}');
    const dead = await metric(shop.forebay, 'work_done_total{status="error"}');
    return done + dead >= usernames.length;
  });
  await eventually(
    'nothing is pending',
    async () => (await metric(shop.forebay, 'forebay_journal_pending_orders')) === 0,
  );
  return new Map(answers.map((answer, i) => [usernames[i]!, answer.id]));
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}`);
}

describe('outcomes of orders', () => {
  it('each order goes to the handler once, with the id that its client got', async (t) => {
    const shop = await open(t, '');
    const ids = await process(shop, names(500));
    const lines = await shop.handler.lines();
    assert.equal(lines.length, 500);
    for (const line of lines) {
      assert.equal(line.id, ids.get(line.username));
      assert.equal(line.attempt, 1);
    }
    assert.equal(await shop.forebay.stop(), 0);
  });

  it('one outcome per order: a retried order comes again with its id, a dead one does not', async (t) => {
    const shop = await open(
      t,
      `return orders.map(({ data, attempt }) =>
         data.username === 'user-7' ? (attempt < 3 ? 'retry' : 'done')
         : data.username === 'user-11' ? 'dead' : 'done');`,
    );
    const ids = await process(shop, names(40));
    const lines = await shop.handler.lines();
    const of = (name: string) => lines.filter((line) => line.username === name);
    assert.deepEqual(
      of('user-7').map((line) => [line.id, line.attempt]),
      [1, 2, 3].map((attempt) => [ids.get('user-7'), attempt]),
    );
    assert.equal(of('user-11').length, 1);
    assert.equal(lines.length, 42);
    assert.equal(await metric(shop.forebay, 'forebay_retries_total'), 2);
    assert.equal(await metric(shop.forebay, 'forebay_dead_total'), 1);
    assert.equal(await metric(shop.forebay, 'work_done_total{status="done"}'), 39);
    assert.equal(await shop.forebay.stop(), 0);
  });

  it('a handler may empty the array of its orders', async (t) => {
    const shop = await open(
      t,
      `const outcomes = [];
       for (let order = orders.shift(); order !== undefined; order = orders.shift()) {
         outcomes.push(order.data.username === 'user-3' ? 'dead' : 'done');
       }
       return outcomes;`,
    );
    await process(shop, names(20));
    assert.equal(await metric(shop.forebay, 'work_done_total{status="done"}'), 19);
    assert.equal(await metric(shop.forebay, 'forebay_dead_total'), 1);
    assert.equal(await shop.forebay.stop(), 0);
  });

  it('a throw because of one order fails only that order, and finally makes it a dead letter', async (t) => {
    const shop = await open(
      t,
      `if (orders.some(({ data }) => data.username === 'user-13')) throw new Error('poison');`,
      ['--attempts-max', '3'],
    );
    await process(shop, names(64));
    const alone = (await shop.handler.lines()).filter(
      (line) => line.username === 'user-13' && line.batch === 1,
    );
    assert.deepEqual(
      alone.map((line) => line.attempt),
      [1, 2, 3],
    );
    assert.equal(await metric(shop.forebay, 'work_done_total{status="done"}'), 63);
    assert.equal(await metric(shop.forebay, 'forebay_dead_total'), 1);
    assert.equal(await shop.forebay.stop(), 0);
  });

  it('each retry waits longer than the one before', async (t) => {
    const shop = await open(t, `return orders.map(() => 'retry');`, [
      ...['--attempts-max', '4', '--retry-ms-min', '100', '--retry-ms-max', '10000'],
    ]);
    await process(shop, ['user']);
    const times = (await shop.handler.lines()).map((line) => line.atMs);
    assert.equal(times.length, 4);
    const waits = times.slice(1).map((time, i) => time - times[i]!);
    // Equal jitter: at least half of the full wait, which doubles.
    for (const [i, wait] of waits.entries()) {
      assert.ok(wait >= 50 * 2 ** i - 2, `wait ${i} was ${wait} ms`);
    }
    assert.equal(await shop.forebay.stop(), 0);
  });

  for (const [what, result, told] of [
    [
      'too few outcomes',
      `orders.slice(1).map(() => 'done')`,
      /returned an array of \d outcomes? for (\d orders|order [\w-]+): it must return nothing, or an array/,
    ],
    ['an unknown outcome', `orders.map(() => 'finished')`, /returned 'finished' for order \w/],
    [
      'the name of an object method',
      `orders.map(() => 'constructor')`,
      /returned 'constructor' for/,
    ],
    [
      'something else',
      `'done'`,
      /returned 'done' for (\d orders|order [\w-]+): it must return nothing, or an array/,
    ],
  ] as const) {
    it(`a handler that returns ${what} fails its orders, and the log says why`, async (t) => {
      const shop = await open(t, `return ${result};`, ['--attempts-max', '2']);
      await process(shop, names(3));
      assert.equal(await metric(shop.forebay, 'forebay_dead_total'), 3);
      assert.equal(await shop.forebay.stop(), 0);
      assert.match(shop.forebay.stderr, told);
      assert.doesNotMatch(shop.forebay.stderr, /the handler threw/);
    });
  }

  it('a dead letter names the outcome that the handler returned', async (t) => {
    const shop = await open(
      t,
      `return orders.map(({ data }) => (data.username === 'user-0' ? 'dead' : 'retry'));`,
      ['--attempts-max', '2'],
    );
    const ids = await process(shop, names(2));
    const { stdout } = await runForebay(['dlq', 'list', '--json', '--data', shop.forebay.data]);
    assert.equal(await shop.forebay.stop(), 0);
    const dead = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const reasonOf = (name: string) => dead.find(({ id }) => id === ids.get(name)).reason;
    assert.equal(reasonOf('user-0'), 'the handler returned dead');
    assert.equal(reasonOf('user-1'), 'the handler returned retry (attempt 2, the last)');
  });
});

describe('a pool thread that dies', () => {
  for (const [what, deadly] of [
    ['calls process.exit', 'process.exit(0)'],
    ['calls process.exit with a code', 'process.exit(7)'],
    [
      'runs out of memory',
      'for (const hoard = []; ; ) hoard.push(new Array(1e5).fill(Math.random()))',
    ],
  ]) {
    it(`because the handler ${what} loses no order, and the pool recovers`, async (t) => {
      const shop = await open(
        t,
        `if (orders.some(({ data, attempt }) => data.username === 'user-5' && attempt === 1)) { ${deadly}; }`,
        ['--worker-heap-mb', '24'],
      );
      const ids = await process(shop, names(16));
      assert.equal(await metric(shop.forebay, 'work_done_total{status="done"}'), 16);
      assert.ok((await metric(shop.forebay, 'forebay_handler_thread_deaths_total')) >= 1);
      const seen = new Set((await shop.handler.lines()).map((line) => line.id));
      assert.deepEqual(seen, new Set(ids.values()));
      assert.equal(await shop.forebay.stop(), 0);
    });
  }
});

describe('a pool thread that dies in direct mode', () => {
  it('leaves only the order that killed it without an answer, because it may be processed', async (t) => {
    // The orders of a frame are answered together, when the last has its outcome. To find the one that kills, several threads
    // must start: on a busy machine that takes longer than the second after which an intake thread gives a frame up.
    const patient = ['--commit-ms-max', '60000'];
    const body = `if (orders.some(({ data }) => data.username === 'killer')) process.exit(1);`;
    const shop = await open(t, body, ['--mode', 'direct', '--rps-limit', '0', ...patient]);
    const client = new OrderClient(shop.forebay.url);
    const answers = await client.postAll([...names(16), 'killer']);
    client.close();
    const statuses = answers.map(({ status }) => status);
    assert.deepEqual(statuses, [...names(16).map(() => 200), 0]);
    assert.equal(await shop.forebay.stop(), 0);
  });
});

describe('a handler that cannot be loaded any more', () => {
  it('keeps its orders, reports why, and continues when it can be loaded again', async (t) => {
    const shop = await open(
      t,
      `if (orders.some(({ data, attempt }) => data.username === 'killer' && attempt === 1)) process.exit(1);`,
    );
    const good = await readFile(shop.handler.file, 'utf8');
    await writeFile(shop.handler.file, 'throw new Error("no database");');
    const client = new OrderClient(shop.forebay.url);
    await client.post('killer');
    await eventually('it says so', async () => {
      const ready = await fetch(`${shop.forebay.adminUrl}/readyz`);
      return ready.ok && (await ready.text()).includes('no database');
    });
    const posted = client.postAll(names(50));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await writeFile(shop.handler.file, good);
    await posted;
    await eventually(
      'all are done',
      async () => (await metric(shop.forebay, 'work_done_total{status="done"}')) === 51,
    );
    assert.equal(await metric(shop.forebay, 'forebay_dead_total'), 0);
    await eventually('/readyz has no reason', async () => {
      const ready = await fetch(`${shop.forebay.adminUrl}/readyz`);
      return (await ready.text()) === '{"status":"ready"}';
    });
    client.close();
    assert.equal(await shop.forebay.stop(), 0);
  });
});

describe('a stop while the handler cannot be loaded', () => {
  it('puts its orders back for the next start, with the same attempt', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'forebay-data-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    const handler = await ledgerHandler(
      t,
      `if (orders.some(({ data, attempt }) => data.username === 'killer' && attempt === 1)) process.exit(1);`,
    );
    const flags = ['--handler', handler.file, ...QUICK_RETRIES];
    const first = await startForebay(flags, { owner: t, data });
    const good = await readFile(handler.file, 'utf8');
    await writeFile(handler.file, 'throw new Error("no database");');
    const client = new OrderClient(first.url);
    await client.post('killer');
    await eventually('it says so', async () =>
      (await (await fetch(`${first.adminUrl}/readyz`)).text()).includes('no database'),
    );
    const ids = (await client.postAll(names(20))).map(({ id }) => id);
    client.close();
    assert.equal(await first.stop(), 0);

    await writeFile(handler.file, good);
    const second = await startForebay(flags, { owner: t, data });
    await eventually(
      'all are done',
      async () => (await metric(second, 'work_done_total{status="done"}')) === 21,
    );
    const lines = (await handler.lines()).filter(({ username }) => username !== 'killer');
    assert.deepEqual(lines.map(({ id }) => id).sort(), ids.sort());
    assert.deepEqual(new Set(lines.map(({ attempt }) => attempt)), new Set([1]));
    assert.equal(await second.stop(), 0);
  });
});

describe('the drain rate', () => {
  it('lets no more than --drain-rate orders a second into the handler', async (t) => {
    const shop = await open(t, '', ['--drain-rate', '40', '--workers', '2']);
    const startedMs = Number(hrtime.bigint() / 1000n) / 1000;
    await process(shop, names(130));
    const times = (await shop.handler.lines()).map((line) => line.atMs).sort((a, b) => a - b);
    // Counted from the start: a pool thread of a busy machine may begin an order late, but never too soon.
    for (const [i, time] of times.entries()) {
      const soonestMs = startedMs + 1000 * Math.floor(i / 40);
      assert.ok(time >= soonestMs, `order ${i} began ${soonestMs - time} ms too soon`);
    }
    assert.equal(await shop.forebay.stop(), 0);
  });
});
