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
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { type LedgerHandler, type LedgerLine, ledgerHandler, UNTIL_GO } from './handlers.js';

const ORDERS = 120;
/** Alone: about 1 s. */
const NEXT_START_MS_MAX = 15_000;
/** Alone: about 8 s. */
const OTHERS_MS_MAX = 25_000;
const BATCH_ORDERS = 5;

interface Scene {
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

/** A backlog of `ORDERS` in many frames. */
async function scene(t: TestContext): Promise<Scene> {
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  const place = ['--nats', nats.url, '--frame-orders-max', '10'];
  // Its data folder is removed: nothing may be left in a spool.
  const flags = [...place, '--drain', 'off', '--spool-orders-max', '0'];
  const intake = await startForebay(flags, { owner: t });
  const client = new OrderClient(intake.url);
  const answers = await client.postAll(Array.from({ length: ORDERS }, (_, i) => `user-${i}`));
  client.close();
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(await intake.stop(), 0);
  return { place, stuck: await ledgerHandler(t, UNTIL_GO), good: await ledgerHandler(t) };
}

function start(
  t: TestContext,
  { place }: Scene,
  { file }: LedgerHandler,
  data: string,
): Promise<ForebayProcess> {
  const shape = ['--workers', '1', '--batch-orders-max', String(BATCH_ORDERS)];
  return startForebay([...place, ...shape, '--handler', file], { owner: t, data });
}

/** Until it has pulled everything, and its handler has begun. */
async function hasAll(stuck: LedgerHandler): Promise<void> {
  await eventually('the handler has begun', async () => (await stuck.lines()).length > 0);
  await sleep(1000);
}

async function untilAllDone(forebay: ForebayProcess, good: LedgerHandler): Promise<void> {
  await eventually('every order is processed', async () => {
    if ((await metric(forebay, 'forebay_journal_pending_orders')) > 0) return false;
    return new Set((await good.lines()).map(({ id }) => id)).size === ORDERS;
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
    await hasAll(stage.stuck);
    await killed.kill9();
    const beganMs = nowMs();
    const next = await start(t, stage, stage.good, data);
    await untilAllDone(next, stage.good);
    const lines = await stage.good.lines();
    const ms = firstMs(lines, beganMs);
    t.diagnostic(
      `first order ${ms} ms after the start, ready after ${Math.round(next.readyAfterMs)} ms`,
    );
    assert.equal(lines.length, ORDERS);
    assert.ok(ms < NEXT_START_MS_MAX, `${ms} ms`);
    assert.equal(await next.stop(), 0);
  });

  it('are processed by another instance soon after its lease', async (t) => {
    const stage = await scene(t);
    const killed = await start(t, stage, stage.stuck, await temporary(t));
    await hasAll(stage.stuck);
    const other = await start(t, stage, stage.good, await temporary(t));
    await sleep(1000);
    assert.deepEqual(await stage.good.lines(), []);
    await killed.kill9();
    const killedMs = nowMs();
    await untilAllDone(other, stage.good);
    const lines = await stage.good.lines();
    const ms = firstMs(lines, killedMs);
    t.diagnostic(`first order ${ms} ms after the kill`);
    assert.equal(lines.length, ORDERS);
    assert.ok(ms < OTHERS_MS_MAX, `${ms} ms`);
    assert.match(other.stderr, /"event":"instance-lost"/);
    assert.equal(await other.stop(), 0);
  });
});
