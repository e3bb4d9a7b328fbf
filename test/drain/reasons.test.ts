/** Why an order failed: as its handler says, where operators look, and without what the order says. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { runDlq } from '../cli/dlq/in-process.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { type LedgerLine, ledgerHandler } from './handlers.js';

const QUICK = ['--attempts-max', '2', '--retry-ms-min', '20', '--retry-ms-max', '60000'];

interface Ran {
  readonly forebay: ForebayProcess;
  readonly ids: ReadonlyMap<string, string>;
  readonly lines: readonly LedgerLine[];
  readonly metrics: string;
  readonly letters: readonly Letter[];
}

interface Letter {
  readonly id: string;
  readonly reason: string;
}

/** Posts an order of each user, waits until all are through, and stops the server. */
async function run(t: TestContext, body: string, users: readonly string[]): Promise<Ran> {
  const handler = await ledgerHandler(t, body);
  const forebay = await startForebay(['--handler', handler.file, ...QUICK], { owner: t });
  const client = new OrderClient(forebay.url);
  const answers = await client.postAll(users);
  client.close();
  await eventually('every order is through', async () => {
    const done = await metric(forebay, 'work_done_total{status="done"}');
    const dead = await metric(forebay, 'forebay_dead_total');
    return done + dead === users.length;
  });
  const metrics = await (await fetch(`${forebay.adminUrl}/metrics`)).text();
  const { stdout } = await runForebay(['dlq', 'list', '--json', '--data', forebay.data]);
  const letters = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Letter);
  const lines = await handler.lines();
  assert.equal(await forebay.stop(), 0);
  const ids = new Map(answers.map(({ id }, i) => [users[i]!, id]));
  return { forebay, ids, lines, metrics, letters };
}

function logged(forebay: ForebayProcess, event: string): Readonly<Record<string, unknown>>[] {
  return forebay.stderr
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line));
}

describe('a reason that the handler gives', () => {
  it('is in the dead letter, in the log with the id of the order, and counted', async (t) => {
    const { forebay, ids, letters, metrics } = await run(
      t,
      `return orders.map(({ data, attempt }) =>
         data.username === 'bad' ? { outcome: 'dead', reason: 'no such product' }
         : data.username === 'late' && attempt === 1 ? { outcome: 'retry', reason: 'HTTP 503' }
         : data.username === 'plain' ? { outcome: 'done' } : 'done');`,
      ['good', 'bad', 'late', 'plain'],
    );
    const id = ids.get('bad');
    assert.deepEqual(
      letters.map((letter) => [letter.id, letter.reason]),
      [[id, 'no such product']],
    );
    const [line, ...more] = logged(forebay, 'dead-letter');
    assert.deepEqual(more, []);
    assert.equal(line!.order, id);
    assert.equal(line!.reason, 'no such product');
    assert.equal(line!.attempts, 1);
    const count = 'forebay_failed_attempts_total';
    assert.match(metrics, new RegExp(`${count}\\{outcome="dead",reason="no such product"\\} 1\n`));
    assert.match(metrics, new RegExp(`${count}\\{outcome="retry",reason="HTTP 503"\\} 1\n`));
  });

  it('that quotes the order stands whole in the dead letter only', async (t) => {
    const user = 'maksim.konovalov@example.org';
    const { forebay, letters, metrics } = await run(
      t,
      `for (const order of orders) if (order.data.username === 'thrown') throw new Error('no ' + order.json);
       return orders.map((order) => {
         const reason = 'unknown user ' + order.data.username.toUpperCase() + ' in ' + JSON.stringify(order.data);
         // What a handler does to its orders must not matter.
         delete order.data.username;
         return { outcome: 'dead', reason };
       });`,
      [user, 'thrown'],
    );
    assert.equal(letters.length, 2);
    const reason = letters.find((letter) => letter.reason.startsWith('unknown user'))!.reason;
    assert.ok(reason.includes(user.toUpperCase()) && reason.includes(`"username":"${user}"`));
    const told = [...logged(forebay, 'dead-letter'), ...logged(forebay, 'handler-threw')];
    assert.equal(logged(forebay, 'dead-letter').length, 2);
    assert.match(JSON.stringify(told), /unknown user … in /);
    for (const text of [forebay.stderr, metrics]) {
      assert.doesNotMatch(text, /konovalov/i);
      assert.doesNotMatch(text, /product_id[^,}]*\d/);
    }
  });
});

describe('dlq list', () => {
  it('shows whole reasons where there is room, and clips them where there is none', async (t) => {
    const long = `no such product ${'in any of our shelves '.repeat(4)}today`;
    const handler = await ledgerHandler(
      t,
      `return orders.map(({ data }) => ({ outcome: 'dead', reason: data.username === 'a' ? 'short' : ${JSON.stringify(long)} }));`,
    );
    const forebay = await startForebay(['--handler', handler.file], { owner: t });
    const client = new OrderClient(forebay.url);
    await client.postAll(['a', 'b']);
    client.close();
    const dead = () => metric(forebay, 'forebay_dead_total');
    await eventually('both are dead letters', async () => (await dead()) === 2);
    const linesAt = async (columns: number) =>
      (await runDlq(['list', '--data', forebay.data], {}, columns)).stdout.split('\n').slice(0, 3);
    const wide = await linesAt(400);
    assert.equal(wide.filter((line) => line.includes(` ${long}  `)).length, 1);
    assert.equal(new Set(wide.map((line) => line.search(/attempts|1 {2}20/))).size, 2);
    for (const line of wide) assert.ok(line.length <= 400);
    const narrow = await linesAt(80);
    assert.equal(
      narrow.filter((line) => line.includes('no such product in any of our s…')).length,
      1,
    );
    assert.equal(await forebay.stop(), 0);
  });
});

describe('retryAfterMs of an outcome', () => {
  it('is the time until the next attempt, for each order by itself', async (t) => {
    const { lines } = await run(
      t,
      `return orders.map(({ data, attempt }) => attempt > 1 ? 'done'
         : { outcome: 'retry', retryAfterMs: Number(data.username.slice(5)) });`,
      ['wait-0', 'wait-700', 'wait-1500', 'wait--5'],
    );
    const waited = (user: string) => {
      const [first, second] = lines.filter(({ username }) => username === user);
      return second!.atMs - first!.atMs;
    };
    assert.ok(waited('wait-700') >= 699, `${waited('wait-700')} ms`);
    assert.ok(waited('wait-1500') >= 1499, `${waited('wait-1500')} ms`);
    // Not less: on a machine that is busy for longer than the wait, all are due at once.
    assert.ok(waited('wait-0') <= waited('wait-1500'));
    assert.ok(waited('wait--5') <= waited('wait-1500'));
  });
});

describe('an outcome that is none', () => {
  it('fails its order only, and says what it is, for which order, and what is allowed', async (t) => {
    const { forebay, ids, lines, letters } = await run(
      t,
      `return orders.map(({ data }) => (data.username === 'odd' ? 'ok' : 'done'));`,
      ['one', 'odd', 'two'],
    );
    const told = `the handler returned 'ok' for order ${ids.get('odd')}: an outcome is 'done', 'retry', 'dead' or { outcome, reason, retryAfterMs }`;
    assert.deepEqual(
      letters.map(({ reason }) => reason),
      [`${told} (attempt 2, the last)`],
    );
    assert.equal(logged(forebay, 'dead-letter')[0]!.reason, told);
    for (const user of ['one', 'two']) {
      assert.equal(lines.filter(({ username }) => username === user).length, 1);
    }
  });

  it('that is a value of the order is not logged', async (t) => {
    const body = 'return orders.map(({ data }) => data.username);';
    const { forebay, letters } = await run(t, body, ['secret.name']);
    assert.match(letters[0]!.reason, /returned 'secret\.name'/);
    assert.doesNotMatch(forebay.stderr, /secret/);
    assert.match(forebay.stderr, /returned '…' for order/);
  });

  it('no array of all outcomes: the log says what was returned', async (t) => {
    const { forebay, ids, letters } = await run(t, `return 'done';`, ['only']);
    const told = `the handler returned 'done' for order ${ids.get('only')}: it must return nothing, or an array`;
    assert.ok(letters[0]!.reason.startsWith(told), letters[0]!.reason);
    assert.ok(String(logged(forebay, 'handler-threw')[0]!.msg).startsWith(told));
  });
});

describe('an error with retryAfterMs', () => {
  it('lets all batches wait that long, says so, and costs no attempt', async (t) => {
    const { forebay, lines } = await run(
      t,
      `globalThis.calls = (globalThis.calls ?? 0) + 1;
       if (globalThis.calls <= 2) throw Object.assign(new Error('too many requests'), { retryAfterMs: 900 });`,
      ['a'],
    );
    const times = [...new Set(lines.map(({ atMs }) => atMs))].sort((one, other) => one - other);
    assert.ok(times[1]! - times[0]! >= 899, `${times[1]! - times[0]!} ms`);
    assert.deepEqual(new Set(lines.map(({ attempt }) => attempt)), new Set([1]));
    const [away] = logged(forebay, 'handler-away');
    assert.equal(away!.msg, 'the handler is paused: too many requests; retrying in 0.9 s');
  });

  it('that quotes an order is not logged with it', async (t) => {
    const { forebay } = await run(
      t,
      `globalThis.calls = (globalThis.calls ?? 0) + 1;
       if (globalThis.calls === 1) throw Object.assign(new Error('away for ' + orders[0].data.username), { pause: true });`,
      ['somebody'],
    );
    assert.match(forebay.stderr, /the handler is paused: away for …/);
    assert.doesNotMatch(forebay.stderr, /somebody/);
  });
});
