import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeRegister } from '../../../src/journal/control/register.js';
import { type LedgerHandler, ledgerHandler } from '../../drain/handlers.js';
import { type ForebayProcess, startForebay } from '../../support/forebay.js';
import { NatsServer } from '../../support/nats.js';
import { eventually, OrderClient } from '../../support/orders.js';
import { withManager } from '../jetstream-api.js';

const RATE = 100;
/** More than are processed while the test runs. */
const ORDERS = 15_000;
/** A stretch in which the rate is to be reached. */
const STRETCH_MS = 2000;
const REACHED = 0.95;

/** The most orders that started within `ms`, and when that time ended. */
function fullest(startedAtMs: readonly number[], ms: number): { orders: number; endMs: number } {
  const sorted = [...startedAtMs].sort((a, b) => a - b);
  let first = 0;
  let most = { orders: 0, endMs: 0 };
  for (const [last, endMs] of sorted.entries()) {
    while (sorted[first]! <= endMs - ms) first++;
    if (last - first + 1 > most.orders) most = { orders: last - first + 1, endMs };
  }
  return most;
}

/** All times are of the machine's monotonic clock, which all processes share. */
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

async function startsSince(handler: LedgerHandler, sinceMs: number): Promise<number[]> {
  return (await handler.lines()).map(({ atMs }) => atMs).filter((atMs) => atMs >= sinceMs);
}

/** Waits until the rate is reached over a stretch that begins now or later. */
async function rateReached(handler: LedgerHandler, when: string): Promise<void> {
  const sinceMs = nowMs();
  let most = 0;
  await eventually(
    () => `${when}: at most ${most} orders in ${STRETCH_MS} ms`,
    async () => {
      await sleep(500);
      most = fullest(await startsSince(handler, sinceMs), STRETCH_MS).orders;
      return most >= (REACHED * RATE * STRETCH_MS) / 1000;
    },
  );
}

async function capsOf(server: NatsServer, processes: readonly ForebayProcess[]): Promise<number[]> {
  const found = await withManager(server, ({ streams }) =>
    streams.getMessage('FOREBAY_DRAIN', { last_by_subj: 'forebay.drain' }),
  );
  const shares = [...decodeRegister(found!.data).shares.values()];
  return processes.map(({ pid }) => shares.find((share) => share.pid === pid)?.cap ?? 0);
}

async function sharedBy(
  server: NatsServer,
  live: readonly ForebayProcess[],
  dead: readonly ForebayProcess[] = [],
): Promise<void> {
  let caps: number[] = [];
  await eventually(
    () => `the live ones have all slots, in equal parts: ${caps}`,
    async () => {
      caps = await capsOf(server, live);
      const isEqual = Math.max(...caps) - Math.min(...caps) <= 1;
      const isNone = (await capsOf(server, dead)).every((cap) => cap === 0);
      return isEqual && isNone && caps.reduce((a, b) => a + b) === RATE;
    },
  );
}

describe('three processes on one stream', () => {
  test('start at most the rate in any second, while they are frozen, killed and back, and reach it', async (t) => {
    const server = await NatsServer.start();
    t.after(() => server.stop());
    const handler = await ledgerHandler(t);
    const flags = [
      ...['--nats', server.url, '--drain-rate', String(RATE), '--handler', handler.file],
      ...['--workers', '1', '--frame-orders-max', '20', '--look-ahead-frames', '4'],
    ];
    const start = () => startForebay(flags, { owner: t });
    const [one, two, three] = [await start(), await start(), await start()];
    const client = new OrderClient(one.url);
    t.after(async () => client.close());
    await client.postAll(Array.from({ length: ORDERS }, (_, i) => `u${i}`));
    await sharedBy(server, [one, two, three]);
    await rateReached(handler, 'with three');
    three.signal('SIGSTOP');
    await sharedBy(server, [one, two], [three]);
    await rateReached(handler, 'while one is frozen');
    three.signal('SIGCONT');
    await sharedBy(server, [one, two, three]);
    // Shorter than a lease, so that it keeps its share.
    two.signal('SIGSTOP');
    await sleep(1500);
    two.signal('SIGCONT');
    await two.kill9();
    await sharedBy(server, [one, three], [two]);
    await rateReached(handler, 'after one was killed');
    const four = await start();
    await sharedBy(server, [one, three, four]);
    await rateReached(handler, 'with a new one');
    const { orders, endMs } = fullest(await startsSince(handler, 0), 1000);
    assert.ok(orders <= RATE, `${orders} orders started in the second before ${endMs}`);
  });
});
