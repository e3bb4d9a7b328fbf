import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CallTimeout, HandlerTimeout } from '../../src/drain/call-timeout.js';
import { startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { ledgerHandler } from './handlers.js';

// Longer than a busy machine takes to start a thread.
const LATE = ['--handler-ms-max', '2000', '--attempts-max', '2', '--workers', '1'];
const QUICK_RETRIES = ['--retry-ms-min', '20', '--retry-ms-max', '100'];

/** Handlers that end only with their thread. */
const HANGS: Readonly<Record<string, string>> = {
  'waits for a promise that never resolves': 'await new Promise(() => {});',
  'loops forever': 'for (;;);',
};

describe('a handler that never returns', { concurrency: true }, () => {
  for (const [what, hang] of Object.entries(HANGS)) {
    it(`because it ${what}: its order becomes a dead letter, and the others are done`, async (t) => {
      const handler = await ledgerHandler(
        t,
        `if (orders.some(({ data }) => data.username === 'hangs')) { ${hang} }
         if (orders.some(({ data, attempt }) => data.username === 'dies' && attempt === 1)) process.exit(1);`,
      );
      const forebay = await startForebay(
        ['--handler', handler.file, ...LATE, ...QUICK_RETRIES, '--log-level', 'info'],
        { owner: t },
      );
      const good = Array.from({ length: 60 }, (_, i) => `good-${i}`);
      const client = new OrderClient(forebay.url);
      await client.postAll([...good.slice(0, 25), 'hangs', ...good.slice(25)]);
      await eventually('the others are done, and it is dead', async () => {
        const done = await metric(forebay, 'work_done_total{status="done"}');
        return done === 60 && (await metric(forebay, 'forebay_dead_total')) === 1;
      });
      const lines = await handler.lines();
      const alone = lines.filter(({ username, batch }) => username === 'hangs' && batch === 1);
      assert.deepEqual([...new Set(alone.map(({ attempt }) => attempt))], [1, 2]);
      // Once per attempt of the order that hangs, in a batch whose thread was ended, and once alone.
      for (const name of good) {
        assert.ok(lines.filter(({ username }) => username === name).length <= 3, name);
      }
      assert.match(forebay.stderr, /"handler-late".*2000 ms/);
      // After a thread was ended, the pool still replaces the next one that dies.
      for (const { status } of await client.postAll(['dies', 'after that'])) {
        assert.equal(status, 200);
      }
      client.close();
      const output = () => `the pool goes on\n${forebay.stderr}`;
      await eventually(output, async () => {
        const done = await metric(forebay, 'work_done_total{status="done"}');
        const dead = await metric(forebay, 'forebay_dead_total');
        // On a machine that is busy enough, even a quick call may be late, and its order dead.
        return done > 60 && done + dead === 63;
      });
      assert.equal(await forebay.stop(), 0);
    });
  }

  it('if loading takes longer than a call may take, the other orders are still done', async (t) => {
    const handler = await ledgerHandler(
      t,
      `if (orders.some(({ data }) => data.username === 'hangs')) await new Promise(() => {});`,
      'await new Promise((resolve) => setTimeout(resolve, 2500));',
    );
    const limits = ['--handler-ms-max', '1000', '--attempts-max', '2', '--workers', '1'];
    const flags = ['--handler', handler.file, ...limits, ...QUICK_RETRIES];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    await client.postAll(['a', 'b', 'hangs', 'c']);
    client.close();
    await eventually('the others are done, and it is dead', async () => {
      const done = await metric(forebay, 'work_done_total{status="done"}');
      return done === 3 && (await metric(forebay, 'forebay_dead_total')) === 1;
    });
    assert.equal(await forebay.stop(), 0);
  });

  it('in direct mode, its client gets no answer, because the outcome is unknown, and the next client is served', async (t) => {
    const handler = await ledgerHandler(
      t,
      `if (orders.some(({ data }) => data.username === 'hangs')) await new Promise(() => {});`,
    );
    const flags = ['--mode', 'direct', '--commit-ms-max', '20000', '--handler', handler.file];
    const forebay = await startForebay([...flags, ...LATE], { owner: t });
    const hanging = new OrderClient(forebay.url);
    assert.equal((await hanging.post('hangs')).status, 0);
    hanging.close();
    const client = new OrderClient(forebay.url);
    assert.equal((await client.post('next')).status, 200);
    client.close();
    assert.equal(await forebay.stop(), 0);
  });
});

describe('the limit of a call', () => {
  /** Ends when it is aborted, like a call whose thread is ended. */
  function hang(limit: CallTimeout): Promise<void> {
    return limit.within((call, signal) => {
      limit.started.start(call, 1);
      return sleep(60_000, undefined, { signal: signal! });
    });
  }

  it('does not count the time that a call waits for its thread', async () => {
    const limit = new CallTimeout(200, 60_000, 1);
    const running = hang(limit);
    let isQueuedLate = false;
    const queued = hang(limit).catch((error: Error) => {
      isQueuedLate = true;
      throw error;
    });
    queued.catch(() => {});
    await assert.rejects(running, HandlerTimeout);
    assert.equal(isQueuedLate, false);
    await assert.rejects(queued, HandlerTimeout);
    limit.close();
  });

  it('does not count the time that the process was stopped', async () => {
    const limit = new CallTimeout(1000, 1000, 1);
    const call = limit.within(() => sleep(50, 'done'));
    // As after SIGSTOP, the check of the calls is due before their results.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
    assert.equal(await call, 'done');
    limit.close();
  });

  it('does not count the time that a new thread loads the handler, which has a limit of its own', async () => {
    const limit = new CallTimeout(100, 1500, 1);
    await limit.within(() => sleep(500));
    const loads = limit.within((_call, signal) => sleep(60_000, undefined, { signal: signal! }));
    await assert.rejects(loads, { name: 'HandlerTimeout', message: /not load within 1500 ms/ });
    limit.close();
  });

  it('passes on the error of a call', async () => {
    const limit = new CallTimeout(60_000, 60_000, 1);
    await assert.rejects(
      limit.within(async () => {
        throw new RangeError('its own');
      }),
      RangeError,
    );
    limit.close();
  });
});
