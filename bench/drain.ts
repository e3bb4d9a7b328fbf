/**
 * `npm run bench:drain`: how many orders a second one pool thread takes out of a full journal, with the handler that
 * does nothing. The journal is filled before; nothing comes in meanwhile.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { readServer } from '../k6/lib/metrics-text.js';
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { NatsServer } from '../test/support/nats.js';
import { type BacklogSize, fillBacklog } from './backlog.js';
import { benchFlags } from './flags.js';
import { threadCpuMs } from './thread-cpu.js';

/** What is meant, of the local journal. */
const LOCAL_ORDERS_PER_S_MIN = 150_000;
/** Until so much is done, V8 compiles: left out of the figures. */
const WARM_UP_SHARE = 0.2;
/** As intake makes them on few connections, and on very many. */
const FRAME_ORDERS = [10, 100, 500];
const POLL_MS = 50;
const DRAINED_MS_MAX = 120_000;

type JournalKind = 'local' | 'jetstream';

export interface DrainFigure {
  readonly journal: JournalKind;
  readonly frameOrders: number;
  readonly ordersPerS: number;
  /** CPU time an order, of the main thread and of all threads of the process; microseconds. */
  readonly mainCpuUs: number;
  readonly cpuUs: number;
}

export async function drainBench(
  journal: JournalKind,
  size: BacklogSize,
  flags: readonly string[] = [],
): Promise<DrainFigure> {
  const data = await mkdtemp(join(tmpdir(), 'forebay-drain-'));
  const nats = journal === 'jetstream' ? await NatsServer.start() : null;
  const place = ['--data', data, ...(nats === null ? [] : ['--nats', nats.url])];
  try {
    await fillBacklog(place, size);
    const server = await startForebay(
      ['--workers', '1', '--threads', '1', '--log-level', 'warn', ...place, ...flags],
      { data },
    );
    try {
      return { journal, frameOrders: size.frameOrders, ...(await timed(server, size.orders)) };
    } finally {
      await server.kill9();
    }
  } finally {
    await nats?.stop();
    await rm(data, { recursive: true, force: true });
  }
}

async function timed(server: ForebayProcess, orders: number) {
  const begin = await whenDone(server, orders * WARM_UP_SHARE);
  const end = await whenDone(server, orders);
  const done = end.doneOrders - begin.doneOrders;
  if (done === 0) throw new Error(`${orders} orders are too few to be timed`);
  return {
    ordersPerS: (done / (end.atMs - begin.atMs)) * 1000,
    mainCpuUs: ((end.cpu.mainMs - begin.cpu.mainMs) / done) * 1000,
    cpuUs: ((end.cpu.allMs - begin.cpu.allMs) / done) * 1000,
  };
}

/** The first look at which so many orders are done. */
async function whenDone({ adminUrl, pid }: ForebayProcess, orders: number) {
  const deadlineMs = performance.now() + DRAINED_MS_MAX;
  for (;;) {
    const text = await (await fetch(`${adminUrl}/metrics`)).text();
    const look = { ...readServer(text), atMs: performance.now(), cpu: threadCpuMs(pid) };
    if (look.doneOrders >= orders) return look;
    if (look.atMs > deadlineMs) throw new Error(`${look.doneOrders} of ${orders} orders are done`);
    await sleep(POLL_MS);
  }
}

async function main(): Promise<void> {
  const values = benchFlags({
    orders: { type: 'string', default: '2000000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: '' },
  });
  const figures: DrainFigure[] = [];
  for (const journal of ['local', 'jetstream'] as const) {
    if (!journal.includes(values.only)) continue;
    for (const frameOrders of FRAME_ORDERS) {
      const rounds: DrainFigure[] = [];
      for (let round = 0; round < Number(values.rounds); round++) {
        rounds.push(await drainBench(journal, { orders: Number(values.orders), frameOrders }));
      }
      rounds.sort((a, b) => a.ordersPerS - b.ordersPerS);
      figures.push(rounds[rounds.length >> 1]!);
    }
  }
  console.log(
    '| journal | orders a frame | orders/s | meant | CPU of the main thread, µs an order | of the process |',
  );
  console.log('|---|---|---|---|---|---|');
  for (const { journal, frameOrders, ordersPerS, mainCpuUs, cpuUs } of figures) {
    const rate = Math.round(ordersPerS).toLocaleString('en');
    console.log(
      `| ${journal} | ${frameOrders} | ${rate} | ${verdict(journal, ordersPerS)} | ${mainCpuUs.toFixed(1)} | ${cpuUs.toFixed(1)} |`,
    );
  }
  if (values.json !== '') await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);
}

function verdict(journal: JournalKind, ordersPerS: number): string {
  if (journal !== 'local') return '';
  const meant = LOCAL_ORDERS_PER_S_MIN.toLocaleString('en');
  return ordersPerS >= LOCAL_ORDERS_PER_S_MIN ? `at least ${meant}` : `MISSED ${meant}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main();
}
