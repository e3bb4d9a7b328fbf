/**
 * `npm run bench:scaling`: the CPU time of an order in each kind of thread, with 1, 2 and 4 intake threads. Not a rate, because
 * the generator and all threads share the cores of one machine. With `--instructions` it counts instead, with valgrind, the
 * instructions of the intake and of the bare server.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readMetric, readServer } from '../k6/lib/metrics-text.js';
import { startForebay } from '../test/support/forebay.js';
import { NatsServer } from '../test/support/nats.js';
import { benchFlags } from './flags.js';
import { countInstructions, valgrindProgram } from './guard/instructions.js';
import { load, postOrders, wrkProgram } from './load.js';
import { residentMaxMb, threadCpuMs } from './process-figures.js';

const WARM_UP_S = 2;
const THREADS = [1, 2, 4];
const US_PER_MS = 1000;
/** More than V8 needs to compile the path. */
const COUNTED_ORDERS = 20_000;

interface Setting {
  readonly journal: 'local' | 'jetstream';
  readonly threads: number;
  readonly drain: 'on' | 'off';
  readonly connections: number;
  readonly seconds: number;
}

/** CPU time per accepted order, in microseconds. */
interface ScalingFigure extends Setting {
  readonly ordersPerS: number;
  readonly ordersPerFrame: number;
  readonly intakeUs: number;
  readonly drainUs: number;
  readonly poolUs: number;
  /** The other threads of the process: the journal's writer, V8's helpers. */
  readonly otherUs: number;
  readonly natsUs: number;
  /** Peak resident memory of the process. */
  readonly residentMb: number;
}

interface Poll {
  readonly atMs: number;
  readonly text: string;
  readonly cpuMs: number;
  readonly natsMs: number;
}

async function measured(wrk: string, setting: Setting): Promise<ScalingFigure> {
  const nats = setting.journal === 'jetstream' ? await NatsServer.start() : null;
  try {
    const forebay = await startForebay([
      ...['--threads', `${setting.threads}`, '--workers', '2'],
      ...['--drain', setting.drain, '--log-level', 'warn'],
      ...(nats === null ? [] : ['--nats', nats.url]),
    ]);
    try {
      const poll = async (): Promise<Poll> => ({
        text: await (await fetch(`${forebay.adminUrl}/metrics`)).text(),
        atMs: performance.now(),
        cpuMs: threadCpuMs(forebay.pid).allMs,
        natsMs: nats === null ? 0 : threadCpuMs(nats.pid).allMs,
      });
      const { connections, seconds } = setting;
      await load(forebay.url, { wrk, connections, seconds: WARM_UP_S });
      const before = await poll();
      const { errors } = await load(forebay.url, { wrk, connections, seconds });
      if (errors > 0) throw new Error(`${errors} responses were not 200`);
      const after = await poll();
      return { ...setting, ...costs(before, after), residentMb: residentMaxMb(forebay.pid) };
    } finally {
      await forebay.kill9();
    }
  } finally {
    await nats?.stop();
  }
}

/** The CPU ratio of a thread covers the time since the last scrape: the measured load and nothing else. */
function costs(before: Poll, after: Poll) {
  const orders = readServer(after.text).created - readServer(before.text).created;
  const frames = framesIn(after.text) - framesIn(before.text);
  const spanMs = after.atMs - before.atMs;
  const each = (ms: number) => (ms * US_PER_MS) / orders;
  const threadUs = (kind: string) => each(sharesOf(after.text, kind) * spanMs);
  const [intakeUs, poolUs] = [threadUs('intake'), threadUs('pool')];
  const drainUs = threadUs('drain') + threadUs('main');
  return {
    ordersPerS: (orders / spanMs) * 1000,
    ordersPerFrame: orders / frames,
    intakeUs,
    drainUs,
    poolUs,
    otherUs: Math.max(0, each(after.cpuMs - before.cpuMs) - intakeUs - drainUs - poolUs),
    natsUs: each(after.natsMs - before.natsMs),
  };
}

function framesIn(text: string): number {
  return readMetric(text, 'forebay_frames_committed_total');
}

function sharesOf(text: string, kind: string): number {
  return readMetric(text, 'forebay_thread_cpu_ratio', `thread="${kind}`) || 0;
}

function table(figures: readonly ScalingFigure[]): string {
  const lines = [
    '| journal | drain | intake threads | orders/s | orders per frame | intake µs | drain µs | pool µs | other µs | nats-server µs | sum µs | peak memory MB |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const figure of figures) {
    const { intakeUs, drainUs, poolUs, otherUs, natsUs } = figure;
    const parts = [intakeUs, drainUs, poolUs, otherUs, natsUs];
    const sum = parts.reduce((total, part) => total + part, 0);
    const cells = [
      figure.journal,
      figure.drain,
      figure.threads,
      Math.round(figure.ordersPerS).toLocaleString('en'),
      figure.ordersPerFrame.toFixed(0),
      ...[...parts, sum].map((us) => us.toFixed(2)),
      figure.residentMb.toFixed(0),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/** By program of bench/servers; null without valgrind. */
async function instructionCounts(): Promise<Record<string, number> | null> {
  const valgrind = await valgrindProgram().catch((error: Error) => {
    console.error(`cannot count instructions: ${error.message}`);
    return null;
  });
  if (valgrind === null) return null;
  const counts: Record<string, number> = {};
  for (const program of ['bare', 'intake-only']) {
    counts[program] = await instructionsPerOrder(valgrind, program);
    console.log(`${program}: ${Math.round(counts[program])} instructions per order in user space`);
  }
  return counts;
}

/**
 * Instructions in user space of a server's process per order. Start and compilation cancel out: the difference of two runs, one
 * with twice as many orders.
 *
 * @param program in bench/servers; prints its URL
 */
async function instructionsPerOrder(valgrind: string, program: string): Promise<number> {
  const file = fileURLToPath(new URL(`./servers/${program}.js`, import.meta.url));
  const [once, twice] = await Promise.all(
    [COUNTED_ORDERS, 2 * COUNTED_ORDERS].map((orders) =>
      countInstructions(valgrind, [file], (url) => postOrders(url, orders)),
    ),
  );
  return (twice! - once!) / COUNTED_ORDERS;
}

async function main(): Promise<void> {
  const values = benchFlags({
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '256' },
    only: { type: 'string', default: '' },
    instructions: { type: 'boolean', default: false },
    json: { type: 'string', default: '' },
  });
  if (values.instructions) {
    const counts = await instructionCounts();
    if (values.json !== '') writeFileSync(values.json, `${JSON.stringify(counts, null, 2)}\n`);
    return;
  }
  const wrk = await wrkProgram();
  const [seconds, connections] = [Number(values.seconds), Number(values.connections)];
  const figures: ScalingFigure[] = [];
  for (const journal of ['local', 'jetstream'] as const) {
    for (const drain of ['off', 'on'] as const) {
      for (const threads of THREADS) {
        const setting = { journal, drain, threads, seconds, connections };
        if (!`${journal} ${drain} ${threads}`.includes(values.only)) continue;
        figures.push(await measured(wrk, setting));
      }
    }
  }
  console.log(table(figures));
  if (values.json !== '') writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
