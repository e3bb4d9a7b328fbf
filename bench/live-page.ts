/**
 * `npm run bench:live`: what 20 viewers of the live page cost the intake. One server under load with no viewer, 20, 20, none, and
 * so on, so that a machine that becomes slower affects both alike. The difference between two measurements without viewers
 * is the noise.
 */
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCounts } from '../src/metrics/count.js';
import { LiveSnapshots } from '../src/metrics/live-snapshots.js';
import { ThreadLoad } from '../src/metrics/thread-load.js';
import { localDurability } from '../src/model/durability.js';
import type { LiveRow } from '../src/model/live.js';
import { loadOptions } from '../src/options/load.js';
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { metric } from '../test/support/orders.js';
import { benchFlags } from './flags.js';
import { load, wrkProgram } from './load.js';
import { median, rangeText, spread } from './spread.js';

export interface LiveBench {
  readonly rounds: number;
  readonly viewers: number;
  /** Posts orders for a while. @returns responses per second, and how many were not 200 */
  readonly drive: (url: string) => Promise<{ requestsPerSecond: number; errors: number }>;
}

interface Measurement {
  readonly requestsPerSecond: number;
  /** User and system time of the server per order, microseconds. */
  readonly cpuUs: number;
}

export interface LiveResult {
  /** Orders per second with viewers ÷ without, by round. */
  readonly ratios: readonly number[];
  /** The same for CPU time per order. */
  readonly cpuRatios: readonly number[];
  /** Orders per second of the two measurements without viewers in the same round, divided. */
  readonly noise: readonly number[];
  /** Rows that all viewers together received. */
  readonly rowsRead: number;
}

/** @throws Error if an order was not accepted or viewers received no rows */
export async function liveBench({ rounds, viewers, drive }: LiveBench): Promise<LiveResult> {
  const server = await startForebay(['--drain', 'off', '--log-level', 'warn']);
  const ratios: number[] = [];
  const cpuRatios: number[] = [];
  const noise: number[] = [];
  let rowsRead = 0;
  const measureWith = async (watched: boolean) => {
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
    await measureWith(false);
    for (let round = 0; round < rounds; round++) {
      const without = [await measureWith(false)];
      const watched = [await measureWith(true), await measureWith(true)];
      without.push(await measureWith(false));
      ratios.push(rate(watched) / rate(without));
      cpuRatios.push(cpu(watched) / cpu(without));
      noise.push(without[1]!.requestsPerSecond / without[0]!.requestsPerSecond);
    }
  } finally {
    await server.kill9();
  }
  if (rowsRead < viewers * rounds) throw new Error(`${viewers} viewers received ${rowsRead} rows`);
  return { ratios, cpuRatios, noise, rowsRead };
}

async function measure(server: ForebayProcess, drive: LiveBench['drive']): Promise<Measurement> {
  const before = await counted(server);
  const { requestsPerSecond, errors } = await drive(server.url);
  const after = await counted(server);
  if (errors > 0) throw new Error(`${errors} orders were not accepted`);
  const orders = after.orders - before.orders;
  return { requestsPerSecond, cpuUs: ((after.cpuS - before.cpuS) / orders) * 1e6 };
}

async function counted(server: ForebayProcess): Promise<{ orders: number; cpuS: number }> {
  const orders = await metric(server, 'forebay_orders_accepted_total');
  return { orders, cpuS: await metric(server, 'process_cpu_seconds_total') };
}

function rate(all: readonly Measurement[]): number {
  return all.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0);
}

function cpu(all: readonly Measurement[]): number {
  return all.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}

const ROWS_TAKEN = 11;

/** Reads the stream like a browser, without drawing. */
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
        else reject(new Error(`/live responded ${stream.statusCode}`));
      }).on('error', reject);
    });
  }

  /** @returns the number of rows received */
  close(): number {
    this.#stream.destroy();
    return this.#rows;
  }
}

/** Milliseconds of the main thread to make one row and its JSON. */
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
      drainRate: () => 1,
      drainPaused: () => 0,
    },
    durability: () => localDurability({ name: 'ext4', kind: 'disk' }),
    // Reads /proc as often as with real threads, always for this process.
    threadLoad: new ThreadLoad(counts, ['main'], () =>
      names.map((name) => ({ name, tid: process.pid })),
    ),
    threads: names,
    build: {
      version: '',
      node: '',
      mode: '',
      journal: 'local',
      path: '/orders',
      schema: '0123456789abcdef',
    },
    reasons: () => [],
    degraded: () => [],
    storage: () => ({ freeBytes: 3, sizeBytes: 2, journalBytes: 1 }),
    scheduledGoneAtMs: () => null,
    events: () => [],
  });
  const ms: number[] = [];
  for (let i = 0; i < ROWS_TAKEN; i++) {
    // Longer than the CPU times of threads are cached.
    await sleep(260);
    const startedMs = performance.now();
    const { row } = JSON.parse(JSON.stringify(snapshots.take())) as { row: LiveRow };
    ms.push(performance.now() - startedMs);
    if (i > 0 && row.cpuPercent.includes(null)) throw new Error('a row has no CPU times');
  }
  return median(ms);
}

function medianAndRange(values: readonly number[]): string {
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
  const shape = {
    wrk: await wrkProgram(),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
  };
  const viewers = Number(values.viewers);
  const { ratios, cpuRatios, noise, rowsRead } = await liveBench({
    rounds: Number(values.rounds),
    viewers,
    drive: (url) => load(url, shape),
  });
  console.log(`orders/s with ${viewers} viewers ÷ without: ${medianAndRange(ratios)}`);
  console.log(`orders/s without viewers, twice (noise): ${medianAndRange(noise)}`);
  console.log(`CPU per order with ${viewers} viewers ÷ without: ${medianAndRange(cpuRatios)}`);
  console.log(`rows received by all viewers: ${rowsRead}`);
  console.log(
    `one row, with 16 intake threads: ${(await rowMs(16)).toFixed(2)} ms of the main thread`,
  );
}

if (process.argv[1] === import.meta.filename) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
