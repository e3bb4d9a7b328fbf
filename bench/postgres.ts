/**
 * `npm run bench:postgres`: orders per second into PostgreSQL, in three ways that take turns on one server: inserted by as many
 * threads with the same client, statement and batches but without Forebay; drained by the handler `postgres` from a full local
 * journal; and posted by wrk while they are drained. Every order is counted in the table.
 */
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { metric } from '../test/support/orders.js';
import { PostgresServer } from '../test/support/postgres.js';
import { benchFlags } from './flags.js';
import { load, postOrders, wrkProgram } from './load.js';
import type { PostgresThreadData } from './postgres-thread.js';
import { median } from './spread.js';

const POLL_MS = 250;

export interface PostgresBenchOptions {
  readonly orders: number;
  readonly rounds: number;
  readonly workers: number;
  readonly batchOrders: number;
  /** How long wrk posts orders while they are drained. */
  readonly postSeconds: number;
}

/** Orders per second of one round. */
export interface PostgresRound {
  readonly alone: number;
  readonly drained: number;
  readonly posted: number;
}

export async function postgresBench(options: PostgresBenchOptions): Promise<PostgresRound[]> {
  const postgres = await PostgresServer.start();
  const folder = await mkdtemp(join(tmpdir(), 'forebay-bench-'));
  try {
    const backlog = join(folder, 'backlog');
    await fillJournal(backlog, options.orders);
    const rounds: PostgresRound[] = [];
    for (let i = 0; i < options.rounds; i++) {
      const alone = await measure(postgres, () => insertAlone(postgres.url(), options));
      const data = join(folder, `${i}`);
      await cp(backlog, data, { recursive: true, filter: (file) => !file.endsWith('.sock') });
      const url = postgres.url();
      const drained = await measure(postgres, () => drainInto(url, options, data));
      const live = join(folder, `${i}-live`);
      const posted = await measure(postgres, () => postInto(url, options, live));
      rounds.push({ alone, drained, posted });
      await rm(live, { recursive: true });
      await rm(data, { recursive: true });
    }
    return rounds;
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function fillJournal(data: string, orders: number): Promise<void> {
  const forebay = await startForebay(['--drain', 'off', '--log-level', 'warn'], { data });
  try {
    await postOrders(forebay.url, orders);
  } finally {
    await forebay.stop();
  }
}

/** This and the other ways return the number of orders that must be in the table. */
async function insertAlone(url: string, options: PostgresBenchOptions): Promise<number> {
  const { orders, workers, batchOrders } = options;
  const threads = Array.from({ length: workers }, (_, i) => {
    const share = Math.floor((orders * (i + 1)) / workers) - Math.floor((orders * i) / workers);
    const origin = `01JB${String(i).padStart(22, '0')}`;
    const workerData: PostgresThreadData = { url, origin, orders: share, batchOrders };
    return new Worker(new URL('./postgres-thread.js', import.meta.url), { workerData });
  });
  await Promise.all(threads.map((thread) => once(thread, 'message')));
  const ended = threads.map((thread) => once(thread, 'exit'));
  for (const thread of threads) thread.postMessage('go');
  await Promise.all(ended);
  return orders;
}

function drainInto(url: string, options: PostgresBenchOptions, data: string): Promise<number> {
  return withSink(url, options, data, async (forebay) => {
    await doneOrders(forebay, options.orders);
    return options.orders;
  });
}

function postInto(url: string, options: PostgresBenchOptions, data: string): Promise<number> {
  return withSink(url, options, data, async (forebay) => {
    const { postSeconds: seconds } = options;
    const { errors } = await load(forebay.url, {
      wrk: await wrkProgram(),
      connections: 256,
      seconds,
    });
    if (errors > 0) throw new Error(`${errors} responses were not 200`);
    // wrk ends with orders in flight, which are accepted a moment later.
    for (let accepted = 0; ; ) {
      const now = await metric(forebay, 'forebay_orders_accepted_total');
      if (now === accepted) return accepted;
      accepted = now;
      await doneOrders(forebay, accepted);
    }
  });
}

async function withSink(
  url: string,
  { workers, batchOrders }: PostgresBenchOptions,
  data: string,
  run: (forebay: ForebayProcess) => Promise<number>,
): Promise<number> {
  const sink = ['--handler', 'postgres', '--postgres-url', url];
  const shape = ['--workers', `${workers}`, '--batch-orders-max', `${batchOrders}`];
  const forebay = await startForebay([...sink, ...shape, '--log-level', 'warn'], { data });
  try {
    return await run(forebay);
  } finally {
    await forebay.stop();
  }
}

/** Polls rarely, because each poll costs the server CPU time. */
async function doneOrders(forebay: ForebayProcess, orders: number): Promise<void> {
  while ((await metric(forebay, 'work_done_total{status="done"}')) < orders) await sleep(POLL_MS);
}

/** By PostgreSQL's clock, from the start of the first transaction to the start of the last. */
async function measure(postgres: PostgresServer, insert: () => Promise<number>): Promise<number> {
  await postgres.query('DROP TABLE IF EXISTS forebay_orders; CHECKPOINT');
  const orders = await insert();
  const count = await rowCount(postgres);
  if (count !== orders) throw new Error(`${count} rows for ${orders} orders`);
  const [row] = await postgres.query<{ seconds: number }>(
    `SELECT extract(epoch FROM max(processed_at) - min(processed_at))::float8 AS seconds
     FROM forebay_orders`,
  );
  return orders / row!.seconds;
}

async function rowCount(postgres: PostgresServer): Promise<number> {
  const [row] = await postgres.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM forebay_orders',
  );
  return row!.count;
}

async function main(): Promise<void> {
  const values = benchFlags({
    orders: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' },
    batch: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '5' },
  });
  const options = {
    orders: Number(values.orders),
    rounds: Number(values.rounds),
    workers: Number(values.workers),
    batchOrders: Number(values.batch),
    postSeconds: Number(values.seconds),
  };
  const rounds = await postgresBench(options);
  const line = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
  const show = (name: string | number, { alone, drained, posted }: PostgresRound) => {
    const rates = [alone, drained, posted].map((rate) => Math.round(rate).toLocaleString('en'));
    line([name, ...rates, (drained / alone).toFixed(2)]);
  };
  line(['orders/s', 'PostgreSQL alone', 'drained', 'posted and drained', 'drained ÷ alone']);
  line(['---', '---', '---', '---', '---']);
  for (const [i, round] of rounds.entries()) show(`round ${i + 1}`, round);
  show('median', {
    alone: median(rounds.map(({ alone }) => alone)),
    drained: median(rounds.map(({ drained }) => drained)),
    posted: median(rounds.map(({ posted }) => posted)),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
