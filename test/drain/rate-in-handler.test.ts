/** The drain rate as the handler sees it: each order is stamped in its first line, and a second is slid over the stamps. */
import assert from 'node:assert/strict';
import { hrtime } from 'node:process';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { ledgerHandler } from './handlers.js';

/** What a call does after its first line. */
const HANDLERS: Readonly<Record<string, string>> = {
  'computes for a while':
    'for (const until = Date.now() + Math.random() * 30; Date.now() < until; );',
  'waits for a while': 'await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));',
  'takes no time': '',
  'throws now and then':
    "if (Math.random() < 0.2) { for (const until = Date.now() + 20; Date.now() < until; ); throw new Error('x'); }",
};

interface InForce {
  readonly fromMs: number;
  toMs: number;
  readonly rate: number;
}

/** A server, and which rate was in force when. */
class Steered {
  readonly forebay: ForebayProcess;
  readonly inForce: InForce[];

  constructor(forebay: ForebayProcess, rate: number) {
    this.forebay = forebay;
    this.inForce = [{ fromMs: 0, toMs: Number.POSITIVE_INFINITY, rate }];
  }

  /** From the request on, the new setting can be in force; after the answer, the old one is not. */
  async set(change: { rate?: number; pause?: string | null }): Promise<void> {
    const fromMs = nowMs();
    const put = () =>
      fetch(`${this.forebay.adminUrl}/drain`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...change, by: 'test' }),
      });
    let answer = await put();
    // This process may get too little time to send it all.
    while (answer.status === 408) answer = await put();
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    const { rate, pause } = JSON.parse(text) as { rate: number; pause: string | null };
    this.inForce.at(-1)!.toMs = nowMs();
    const toMs = Number.POSITIVE_INFINITY;
    this.inForce.push({ fromMs, toMs, rate: pause === null ? rate : 0 });
  }

  /** The most that may start between two moments. */
  rateIn(fromMs: number, toMs: number): number {
    const rates = this.inForce
      .filter((setting) => setting.fromMs <= toMs && setting.toMs >= fromMs)
      .map(({ rate }) => rate);
    return Math.max(...rates);
  }
}

function nowMs(): number {
  return Number(hrtime.bigint() / 1000n) / 1000;
}

/** Each second that has more orders than the rate that was in force. */
function broken(times: readonly number[], steered: Steered): string[] {
  const faults: string[] = [];
  let first = 0;
  for (const [last, atMs] of times.entries()) {
    while (atMs - times[first]! >= 1000) first++;
    const orders = last - first + 1;
    const most = steered.rateIn(times[first]!, atMs);
    if (orders > most) faults.push(`${orders} orders from ${times[first]} to ${atMs}, not ${most}`);
  }
  return faults;
}

describe('in no second, more orders than the drain rate start in a handler that', {
  concurrency: true,
}, () => {
  for (const [what, body] of Object.entries(HANDLERS)) {
    it(`${what}, while the rate changes`, async (t) => {
      const handler = await ledgerHandler(t, body);
      const flags = ['--handler', handler.file, '--workers', '3', '--drain-rate', '100'];
      const retries = ['--retry-ms-min', '10', '--retry-ms-max', '100', '--attempts-max', '50'];
      const forebay = await startForebay([...flags, ...retries], { owner: t });
      const steered = new Steered(forebay, 100);
      const client = new OrderClient(forebay.url);
      t.after(async () => client.close());
      await client.postAll(Array.from({ length: 600 }, (_, i) => `user-${i}`));
      await sleep(1500);
      await steered.set({ rate: 30 });
      await sleep(2000);
      await steered.set({ pause: 'test' });
      const paused = (await handler.lines()).length;
      await sleep(1500);
      assert.equal((await handler.lines()).length, paused, 'nothing starts while it is paused');
      await steered.set({ pause: null, rate: 150 });
      await sleep(1000);
      await steered.set({ rate: 7 });
      await sleep(1500);
      await steered.set({ rate: 1000 });
      await eventually(
        'all are done',
        async () => (await metric(forebay, 'work_done_total{status="done"}')) === 600,
      );
      const times = (await handler.lines()).map(({ atMs }) => atMs).sort((a, b) => a - b);
      assert.ok(times.length >= 600);
      assert.deepEqual(broken(times, steered), []);
      assert.equal(await forebay.stop(), 0);
    });
  }
});

describe('a paused drain', () => {
  it('refuses orders in direct mode, and says why', async (t) => {
    const handler = await ledgerHandler(t);
    const flags = ['--mode', 'direct', '--rps-limit', '0', '--handler', handler.file];
    const forebay = await startForebay(flags, { owner: t });
    const steered = new Steered(forebay, 0);
    const client = new OrderClient(forebay.url);
    t.after(async () => client.close());
    assert.equal((await client.post('early')).status, 200);
    await steered.set({ pause: 'deploy of the shop' });
    assert.equal((await client.post('meanwhile')).status, 503);
    const ready = await fetch(`${forebay.adminUrl}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /paused by test: deploy of the shop/);
    assert.equal(await metric(forebay, 'forebay_drain_paused'), 1);
    await steered.set({ pause: null });
    assert.equal((await client.post('late')).status, 200);
    assert.deepEqual(
      (await handler.lines()).map(({ username }) => username),
      ['early', 'late'],
    );
    assert.equal(await forebay.stop(), 0);
  });

  it('stays paused over a kill, and takes orders meanwhile', async (t) => {
    const handler = await ledgerHandler(t);
    const flags = ['--handler', handler.file, '--log-level', 'info'];
    const first = await startForebay(flags, { owner: t });
    const [client, steered] = [new OrderClient(first.url), new Steered(first, 0)];
    await steered.set({ pause: 'deploy' });
    assert.equal((await client.post('meanwhile')).status, 200);
    client.close();
    await eventually('it is logged', () => /"drain-set".*paused: deploy/.test(first.stderr));
    first.signal('SIGKILL');
    await first.exited;
    const second = await startForebay(flags, { owner: t, data: first.data });
    const ready = await (await fetch(`${second.adminUrl}/readyz`)).text();
    assert.match(ready, /"status":"ready".*paused by test: deploy/);
    assert.deepEqual(await handler.lines(), []);
    await new Steered(second, 0).set({ pause: null });
    await eventually('it is done', async () => (await handler.lines()).length === 1);
    assert.equal(await second.stop(), 0);
  });
});
