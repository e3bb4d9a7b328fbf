/**
 * `npm run bench:drain`: how many orders per second one pool thread drains from a full journal, with a handler that does
 * nothing. The journal is filled first, and no orders arrive meanwhile.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { readServer } from '../k6/lib/metrics-text.js';
import { FrameIds } from '../src/commit/frame-id.js';
import { openAppender, openSource } from '../src/journal/open.js';
import { createCounts, ThreadCounts } from '../src/metrics/count.js';
import type { Frame } from '../src/model/frame.js';
import type { Appender } from '../src/model/journal.js';
import { loadOptions } from '../src/options/load.js';
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { NatsServer } from '../test/support/nats.js';
import { benchFlags } from './flags.js';
import { ORDER } from './load.js';
import { threadCpuMs } from './process-figures.js';

/** The first part is not measured: V8 is still compiling. */
const WARM_UP_SHARE = 0.2;
/** As the intake makes them with few connections, and with very many. */
const FRAME_ORDERS = [10, 100, 500];
const POLL_MS = 50;
const DRAINED_MS_MAX = 120_000;

/** Commits in flight: as many as an intake thread has. */
const IN_FLIGHT_MAX = 8;
const OPEN_MS_MAX = 10_000;

type JournalKind = 'local' | 'jetstream';

export interface BacklogSize {
  readonly orders: number;
  readonly frameOrders: number;
}

export interface DrainFigure {
  readonly journal: JournalKind;
  readonly frameOrders: number;
  readonly ordersPerS: number;
  /** CPU time of the drain thread per order, microseconds. */
  readonly drainCpuUs: number;
  /** The same of all threads of the process. */
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
  if (done === 0) throw new Error(`${orders} orders are too few to measure`);
  return {
    ordersPerS: (done / (end.atMs - begin.atMs)) * 1000,
    drainCpuUs: ((end.cpu.drainMs - begin.cpu.drainMs) / done) * 1000,
    cpuUs: ((end.cpu.allMs - begin.cpu.allMs) / done) * 1000,
  };
}

/** The first poll at which so many orders are done. */
async function whenDone({ adminUrl, pid }: ForebayProcess, orders: number) {
  const deadlineMs = performance.now() + DRAINED_MS_MAX;
  for (;;) {
    const text = await (await fetch(`${adminUrl}/metrics`)).text();
    const poll = { ...readServer(text), atMs: performance.now(), cpu: threadCpuMs(pid) };
    if (poll.doneOrders >= orders) return poll;
    if (poll.atMs > deadlineMs) throw new Error(`${poll.doneOrders} of ${orders} orders are done`);
    await sleep(POLL_MS);
  }
}

/** Fills the journal that the flags name, with the code that the intake uses. */
async function fillBacklog(
  flags: readonly string[],
  { orders, frameOrders }: BacklogSize,
): Promise<void> {
  const options = loadOptions(['--spool-orders-max', '0', ...flags], {});
  const counts = createCounts(2);
  const [own, intake] = [new ThreadCounts(counts, 0), new ThreadCounts(counts, 1)];
  const ids = new FrameIds();
  const open = await openSource(options, {
    newFrameId: () => ids.next(Date.now()),
    acceptedOrders: () => 0,
    spooledOrders: () => 0,
    failedKeyRows: () => 0,
    counts: own,
    log: () => {},
    requestWake: null,
    claimFolder: async () => {},
    left: () => [],
  });
  try {
    await open.ready;
    const appender = await openAppender(options, null, intake, own, Promise.resolve());
    try {
      await whenWritable(appender);
      await append(appender, framesOf(orders, frameOrders, ids));
    } finally {
      await appender.close();
    }
  } finally {
    await open.close();
  }
}

async function whenWritable(appender: Appender): Promise<void> {
  const deadlineMs = performance.now() + OPEN_MS_MAX;
  while (!appender.writable) {
    if (performance.now() > deadlineMs)
      throw new Error(`cannot fill the journal: ${appender.reason}`);
    await sleep(20);
  }
}

async function append(appender: Appender, frames: Iterable<Frame>): Promise<void> {
  const inFlight = new Set<Promise<unknown>>();
  for (const frame of frames) {
    const commit = appender.commit(frame).finally(() => inFlight.delete(commit));
    inFlight.add(commit);
    if (inFlight.size >= IN_FLIGHT_MAX) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
}

function* framesOf(orders: number, frameOrders: number, ids: FrameIds): Generator<Frame> {
  const line = `${ORDER}\n`;
  const payload = Buffer.from(line.repeat(frameOrders));
  for (let left = orders; left > 0; left -= frameOrders) {
    const count = Math.min(left, frameOrders);
    const now = Date.now();
    yield {
      id: ids.next(now),
      count,
      payload: payload.subarray(0, count * line.length),
      acceptedAtMs: now,
      attempt: 1,
      notBeforeMs: 0,
      refiled: null,
      keys: [],
    };
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
    '| journal | orders per frame | orders/s | drain thread, CPU µs per order | process, CPU µs per order |',
  );
  console.log('| --- | --- | --- | --- | --- |');
  for (const { journal, frameOrders, ordersPerS, drainCpuUs, cpuUs } of figures) {
    const rate = Math.round(ordersPerS).toLocaleString('en');
    console.log(
      `| ${journal} | ${frameOrders} | ${rate} | ${drainCpuUs.toFixed(1)} | ${cpuUs.toFixed(1)} |`,
    );
  }
  if (values.json !== '') await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main();
}
