/**
 * With NATS, what a dead process had in hand is processed soon: at once by its next start, and by other instances after its
 * lease, not after the ack_wait of NATS. The limits are far above what is measured alone, and below ack_wait.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withManager } from '../journal/jetstream-api.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { type LedgerHandler, type LedgerLine, ledgerHandler, UNTIL_GO } from './handlers.js';

const ORDERS = 600;
/** From when it is ready, which takes a second alone. Alone: 30 ms. */
const NEXT_START_MS_MAX = 15_000;
/** Alone: about 8 s. */
const OTHERS_MS_MAX = 25_000;
const BATCH_ORDERS = 5;
/** Those in the pool, and those announced ahead. */
const SUSPECTS_MAX = 100;

const RATE = 100;
/** In the pool, and what ended since the last note: alone about 20. Without notes it is more than a half. */
const TWICE_MAX = 120;

interface Scene {
  readonly nats: NatsServer;
  readonly place: readonly string[];
  /** Processes nothing: its first calls never end. */
  readonly stuck: LedgerHandler;
  readonly good: LedgerHandler;
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-takeover-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A backlog of `ORDERS` in frames of so many. */
async function scene(t: TestContext, frameOrders = 10): Promise<Scene> {
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  const place = ['--nats', nats.url];
  // Its data folder is removed: nothing may be left in a spool.
  const patient = ['--spool-orders-max', '0', '--commit-ms-max', '60000'];
  const flags = [...place, '--drain', 'off', ...patient];
  const intake = await startForebay(flags, { owner: t });
  const headers = { 'content-type': 'application/x-ndjson' };
  for (let at = 0; at < ORDERS; at += frameOrders) {
    const lines = Array.from({ length: frameOrders }, (_, i) => `${orderBody(`user-${at + i}`)}\n`);
    const body = lines.join('');
    const answer = await fetch(`${intake.url}/orders/batch`, { method: 'POST', body, headers });
    assert.equal(answer.status, 200, await answer.text());
  }
  assert.equal(await intake.stop(), 0);
  return { nats, place, stuck: await ledgerHandler(t, UNTIL_GO), good: await ledgerHandler(t) };
}

function start(
  t: TestContext,
  { place }: Scene,
  { file }: LedgerHandler,
  data: string,
  flags: readonly string[] = [],
): Promise<ForebayProcess> {
  const shape = ['--workers', '1', '--batch-orders-max', String(BATCH_ORDERS), ...flags];
  return startForebay([...place, ...shape, '--handler', file], { owner: t, data });
}

/** Until it has pulled everything, and its handler has begun. */
async function hasAll({ nats, stuck }: Scene): Promise<void> {
  await eventually('the handler has begun', async () => (await stuck.lines()).length > 0);
  await eventually('all is pulled', () =>
    withManager(nats, async ({ consumers }) => {
      return (await consumers.info('FOREBAY', 'forebay-drain')).num_pending === 0;
    }),
  );
  // It claims what it has pulled.
  await sleep(1000);
}

async function untilAllDone(
  forebay: ForebayProcess,
  handlers: readonly LedgerHandler[],
): Promise<void> {
  await eventually('every order is processed', async () => {
    if ((await metric(forebay, 'forebay_journal_pending_orders')) > 0) return false;
    const lines = await Promise.all(handlers.map((handler) => handler.lines()));
    return new Set(lines.flat().map(({ id }) => id)).size === ORDERS;
  });
}

function firstMs(lines: readonly LedgerLine[], sinceMs: number): number {
  return Math.round(Math.min(...lines.map(({ atMs }) => atMs)) - sinceMs);
}

/** On the clock of the handler. */
function nowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

describe('the frames of a process that was killed, with NATS', { concurrency: true }, () => {
  it('are processed at once by its next start', async (t) => {
    const stage = await scene(t);
    const data = await temporary(t);
    const killed = await start(t, stage, stage.stuck, data);
    await hasAll(stage);
    await killed.kill9();
    const beganMs = nowMs();
    const next = await start(t, stage, stage.good, data);
    await untilAllDone(next, [stage.good]);
    const lines = await stage.good.lines();
    const ms = firstMs(lines, beganMs);
    t.diagnostic(
      `first order ${ms} ms after the start, ready after ${Math.round(next.readyAfterMs)} ms`,
    );
    assert.equal(lines.length, ORDERS);
    assert.ok(ms - next.readyAfterMs < NEXT_START_MS_MAX, `${ms} ms`);
    assert.equal(await next.stop(), 0);
  });

  it('are processed by another instance soon after its lease', async (t) => {
    const stage = await scene(t);
    const killed = await start(t, stage, stage.stuck, await temporary(t));
    await hasAll(stage);
    const other = await start(t, stage, stage.good, await temporary(t));
    await sleep(1000);
    assert.deepEqual(await stage.good.lines(), []);
    await killed.kill9();
    const killedMs = nowMs();
    await untilAllDone(other, [stage.good]);
    const lines = await stage.good.lines();
    const ms = firstMs(lines, killedMs);
    t.diagnostic(`first order ${ms} ms after the kill`);
    assert.equal(lines.length, ORDERS);
    assert.ok(ms < OTHERS_MS_MAX, `${ms} ms`);
    assert.match(other.stderr, /"event":"instance-lost"/);
    // What the dead process cannot have begun does not run alone.
    const alone = await metric(other, 'forebay_suspect_runs_total');
    t.diagnostic(`${alone} of ${ORDERS} orders ran alone`);
    assert.ok(alone >= BATCH_ORDERS && alone <= SUSPECTS_MAX, `${alone} orders ran alone`);
    assert.equal(await other.stop(), 0);
  });

  it('are processed once, except what was in progress, if it was only frozen', async (t) => {
    // One frame, half of which it has processed: what it has not noted would be processed again.
    const stage = await scene(t, ORDERS);
    const rate = ['--drain-rate', String(RATE)];
    const first = await ledgerHandler(t);
    const frozen = await start(t, stage, first, await temporary(t), rate);
    const other = await start(t, stage, stage.good, await temporary(t), rate);
    await eventually('a half is processed', async () => (await first.lines()).length > ORDERS / 2);
    frozen.signal('SIGSTOP');
    await untilAllDone(other, [first, stage.good]);
    frozen.signal('SIGCONT');
    await eventually('it notices', async () => {
      const pending = await metric(frozen, 'forebay_journal_pending_orders');
      return pending === 0;
    });
    // Longer than the start of a term: what it had queued, it would have begun by now.
    await sleep(3000);
    const lines = [...(await first.lines()), ...(await stage.good.lines())];
    const twice = lines.length - ORDERS;
    t.diagnostic(`${twice} of ${ORDERS} orders were processed twice`);
    assert.ok(twice <= TWICE_MAX, `${twice} orders were processed twice`);
    assert.equal(await other.stop(), 0);
    assert.equal(await frozen.stop(), 0);
  });
});
