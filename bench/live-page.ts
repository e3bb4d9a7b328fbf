/**
 * `npm run bench:live`: what it costs intake that 20 viewers have the live page open. One server, driven
 * with no viewer, with 20, with 20, with none, and so on: a machine that grows slower meets both alike.
 * What two runs without viewers differ by is the noise that the ratio is held against.
 */

import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCounts } from '../src/metrics/count.js';
import { LiveSnapshots } from '../src/metrics/live-snapshots.js';
import { ThreadLoad } from '../src/metrics/thread-load.js';
import { LOCAL_DURABILITY } from '../src/model/durability.js';
import type { LiveRow } from '../src/model/live.js';
import { loadOptions } from '../src/options/load.js';
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { metric } from '../test/support/orders.js';
import { benchFlags } from './flags.js';
import { load } from './load.js';
import { median, rangeText, spread } from './spread.js';

export interface LiveBench {
  readonly rounds: number;
  readonly viewers: number;
  /** Posts orders until it is through. @returns answers a second, and how many were no 200 */
  readonly drive: (url: string) => Promise<{ requestsPerSecond: number; errors: number }>;
}

interface Leg {
  readonly requestsPerSecond: number;
  /** User and system time of the server's process for each order; microseconds. */
  readonly cpuUs: number;
}

export interface LiveResult {
  /** With viewers, of without, by the round. */
  readonly ratios: readonly number[];
  readonly cpuRatios: readonly number[];
  /** Without viewers, of without, in the same round: what is mere chance. */
  readonly noise: readonly number[];
  /** Rows that all viewers have read together. */
  readonly rowsRead: number;
}

/** @throws Error an order was not taken, or a viewer saw no rows */
export async function liveBench({ rounds, viewers, drive }: LiveBench): Promise<LiveResult> {
  const server = await startForebay(['--drain', 'off', '--log-level', 'warn']);
  const ratios: number[] = [];
  const cpuRatios: number[] = [];
  const noise: number[] = [];
  let rowsRead = 0;
  const leg = async (watched: boolean) => {
    const open = await Promise.all(
      Array.from({ length: watched ? viewers : 0 }, () => Viewer.open(server)),
    );
    try {
      return await measure(server, drive);
    } finally {
      for (const viewer of open) rowsRead += viewer.close();
    }
  };
  try {
    await leg(false);
    for (let round = 0; round < rounds; round++) {
      const without = [await leg(false)];
      const watched = [await leg(true), await leg(true)];
      without.push(await leg(false));
      ratios.push(rate(watched) / rate(without));
      cpuRatios.push(cpu(watched) / cpu(without));
      noise.push(without[1]!.requestsPerSecond / without[0]!.requestsPerSecond);
    }
  } finally {
    await server.kill9();
  }
  if (rowsRead < viewers * rounds) throw new Error(`${viewers} viewers read ${rowsRead} rows`);
  return { ratios, cpuRatios, noise, rowsRead };
}

async function measure(server: ForebayProcess, drive: LiveBench['drive']): Promise<Leg> {
  const before = await counted(server);
  const { requestsPerSecond, errors } = await drive(server.url);
  const after = await counted(server);
  if (errors > 0) throw new Error(`${errors} orders were not taken`);
  const orders = after.orders - before.orders;
  return { requestsPerSecond, cpuUs: ((after.cpuS - before.cpuS) / orders) * 1e6 };
}

async function counted(server: ForebayProcess): Promise<{ orders: number; cpuS: number }> {
  const orders = await metric(server, 'forebay_orders_accepted_total');
  return { orders, cpuS: await metric(server, 'process_cpu_seconds_total') };
}

function rate(legs: readonly Leg[]): number {
  return legs.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0);
}

function cpu(legs: readonly Leg[]): number {
  return legs.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}

const ROWS_TAKEN = 11;

/** Reads the stream as a browser would, and draws nothing. */
class Viewer {
  readonly #stream: IncomingMessage;
  #rows = 0;

  private constructor(stream: IncomingMessage) {
    this.#stream = stream;
    stream.setEncoding('utf8').on('data', (text: string) => {
      this.#rows += text.split('"atMs"').length - 1;
    });
    stream.on('error', () => {});
  }

  static open({ adminUrl }: ForebayProcess): Promise<Viewer> {
    return new Promise((resolve, reject) => {
      get(`${adminUrl}/live`, { agent: false }, (stream) => {
        if (stream.statusCode === 200) resolve(new Viewer(stream));
        else reject(new Error(`/live answered ${stream.statusCode}`));
      }).on('error', reject);
    });
  }

  /** @returns the rows that it has read */
  close(): number {
    this.#stream.destroy();
    return this.#rows;
  }
}

/** Milliseconds of the main thread for one row as text, with so many intake threads. */
async function rowMs(intakeThreads: number): Promise<number> {
  const names = ['main', ...Array.from({ length: intakeThreads }, (_, i) => `intake-${i}`)];
  const counts = createCounts(names.length);
  const snapshots = new LiveSnapshots({
    options: loadOptions([], {}),
    counts,
    live: {
      rps: () => 1,
      pendingOrders: () => 1,
      oldestAgeSeconds: () => 1,
      deadLetters: () => 1,
      deadLettersMax: () => 1,
    },
    durability: () => LOCAL_DURABILITY,
    // As many reads of /proc as with so many real threads: all of this one.
    threadLoad: new ThreadLoad(counts, ['main'], () =>
      names.map((name) => ({ name, tid: process.pid })),
    ),
    threads: names,
    build: { version: '', node: '', mode: '', journal: '' },
    reasons: () => [],
    degraded: () => [],
  });
  const ms: number[] = [];
  for (let i = 0; i < ROWS_TAKEN; i++) {
    // The load of a thread is not looked up more often than this.
    await sleep(260);
    const startedMs = performance.now();
    const { row } = JSON.parse(JSON.stringify(snapshots.take())) as { row: LiveRow };
    ms.push(performance.now() - startedMs);
    if (i > 0 && row.cpuPercent.includes(null)) throw new Error('no load was looked up');
  }
  return median(ms);
}

function told(values: readonly number[]): string {
  const seen = spread(values);
  return `${seen.median.toFixed(3)} (${rangeText(seen, 3)})`;
}

async function main(): Promise<void> {
  const values = benchFlags({
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '256' },
    viewers: { type: 'string', default: '20' },
  });
  // From dist/bench: the script lies outside what is compiled.
  const tools = await import(new URL('../../scripts/tools.mjs', import.meta.url).href);
  const wrk: string = await tools.ensureTool('wrk');
  const shape = { wrk, seconds: Number(values.seconds), connections: Number(values.connections) };
  const viewers = Number(values.viewers);
  const { ratios, cpuRatios, noise, rowsRead } = await liveBench({
    rounds: Number(values.rounds),
    viewers,
    drive: (url) => load(url, shape),
  });
  console.log(`orders/s with ${viewers} viewers, of without: ${told(ratios)}`);
  console.log(`orders/s without viewers, of without (noise): ${told(noise)}`);
  console.log(`CPU an order with ${viewers} viewers, of without: ${told(cpuRatios)}`);
  console.log(`rows read by all viewers: ${rowsRead}`);
  console.log(
    `a row, with 16 intake threads: ${(await rowMs(16)).toFixed(2)} ms of the main thread`,
  );
}

if (process.argv[1] === import.meta.filename) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
