/** Errors that a handler leaves behind: no order that is innocent may pay for them. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { type LedgerHandler, ledgerHandler } from './handlers.js';

const ORDERS = 500;
const FLAGS = ['--attempts-max', '2', '--retry-ms-min', '20', '--retry-ms-max', '100'];
const BATCHES = [
  ['batches of one', ['--batch-orders-max', '1']],
  ['batches of many', []],
] as const;

interface Ran {
  readonly forebay: ForebayProcess;
  readonly handler: LedgerHandler;
  readonly done: number;
  readonly dead: number;
}

async function process500(t: TestContext, body: string, flags: readonly string[]): Promise<Ran> {
  const handler = await ledgerHandler(t, body);
  const all = ['--handler', handler.file, ...FLAGS, ...flags];
  const forebay = await startForebay(all, { owner: t });
  const client = new OrderClient(forebay.url);
  await client.postAll(Array.from({ length: ORDERS }, (_, i) => `user-${i}`));
  client.close();
  const count = (status: string) => metric(forebay, `work_done_total{status="${status}"}`);
  await eventually(
    'every order is through',
    async () => (await count('done')) + (await count('error')) >= ORDERS,
  );
  return { forebay, handler, done: await count('done'), dead: await count('error') };
}

describe('an error that a handler leaves behind', () => {
  const strays = [
    ['a promise that rejects 20 ms later', `sleep(20).then(() => { throw new Error('stray'); });`],
    [
      'an async function nobody waits for',
      `(async () => { await sleep(20); throw undefined; })();`,
    ],
    ['an exception in a timer', `setTimeout(() => { throw new Error('stray'); }, 20);`],
    ['a fetch nobody waits for', `fetch('http://127.0.0.1:1/');`],
  ];
  for (const [what, stray] of strays) {
    for (const [size, flags] of BATCHES) {
      it(`${what}: with ${size}, every order is done, once`, async (t) => {
        const { forebay, handler, done, dead } = await process500(
          t,
          `const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
           for (const { data } of orders) if (data.username.endsWith('7')) { ${stray} }`,
          flags,
        );
        assert.deepEqual({ done, dead }, { done: ORDERS, dead: 0 });
        assert.equal((await handler.lines()).length, ORDERS);
        assert.equal(await metric(forebay, 'forebay_handler_thread_deaths_total'), 0);
        await eventually(
          'the errors are counted',
          async () => (await metric(forebay, 'forebay_handler_stray_errors_total')) === ORDERS / 10,
        );
        assert.equal(await forebay.stop(), 0);
        assert.match(forebay.stderr, /"event":"handler-stray-error"/);
      });
    }
  }

  for (const [size, flags] of BATCHES) {
    it(`while the call that made it still runs: with ${size}, only its order is blamed`, async (t) => {
      const { forebay, dead } = await process500(
        t,
        `const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
         for (const { data } of orders) {
           if (data.username === 'user-7') {
             sleep(20).then(() => { throw new Error('made by user-7'); });
             await new Promise(() => { setInterval(() => {}, 1000); });
           }
         }
         await sleep(orders.length === 1 ? 2 : 20);`,
        flags,
      );
      assert.equal(dead, 1);
      const listed = await runForebay(['dlq', 'list', '--json', '--data', forebay.data]);
      const letter = JSON.parse(listed.stdout);
      assert.match(letter.body, /user-7"/);
      assert.match(letter.reason, /made by user-7/);
      assert.equal(await metric(forebay, 'forebay_handler_stray_errors_total'), 0);
      assert.equal(await forebay.stop(), 0);
    });
  }

  it('while the handler loads: the server does not start, and says why', async (t) => {
    const handler = await ledgerHandler(
      t,
      '',
      `setTimeout(() => { throw new Error('no socket'); }, 5); await new Promise(() => {});`,
    );
    const { code, stderr } = await runForebay([
      ...['serve', '--mode', 'direct', '--port', '0', '--admin-port', '0'],
      ...['--handler', handler.file],
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /its thread ended: no socket/);
  });

  it('that the handler listens for itself is left to the handler', async (t) => {
    const handler = await ledgerHandler(
      t,
      `new Promise((_, reject) => setTimeout(reject, 5, new Error('expected')));`,
      `process.on('unhandledRejection', () => {});`,
    );
    const forebay = await startForebay(['--handler', handler.file, ...FLAGS], { owner: t });
    const client = new OrderClient(forebay.url);
    await client.postAll(['a', 'b', 'c']);
    client.close();
    await eventually(
      'all are done',
      async () => (await metric(forebay, 'work_done_total{status="done"}')) === 3,
    );
    assert.equal(await forebay.stop(), 0);
    assert.doesNotMatch(forebay.stderr, /handler-stray-error/);
  });
});
