/**
 * `npm run bench:scaling`: what an order costs each kind of thread with 1, 2 and 4 intake threads. CPU time and not
 * orders a second: the generator and all threads share the cores of the machine, so a rate would tell of that. With
 * `--instructions`, instead: how many instructions the intake's path takes beside the bare server's, by valgrind.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readMetric, readServer } from '../k6/lib/metrics-text.js';
import { startForebay } from '../test/support/forebay.js';
import { NatsServer } from '../test/support/nats.js';
import { benchFlags } from './flags.js';
import { valgrindProgram } from './guard/instructions.js';
import { instructionsAnOrder } from './intake-instructions.js';
import { load, wrkProgram } from './load.js';
import { threadCpuMs } from './thread-cpu.js';

const WARM_UP_S = 2;
const THREADS = [1, 2, 4];
const US_PER_MS = 1000;

interface Setting {
  readonly journal: 'local' | 'jetstream';
  readonly threads: number;
  readonly drain: 'on' | 'off';
  readonly connections: number;
  readonly seconds: number;
}

/** CPU time an accepted order, microseconds. */
interface ScalingFigure extends Setting {
  readonly ordersPerS: number;
  readonly ordersAFrame: number;
  readonly intakeUs: number;
  readonly mainUs: number;
  readonly poolUs: number;
  /** What is left of the process: the journal's writer, V8's own threads. */
  readonly otherUs: number;
  readonly natsUs: number;
  /** Most memory that the process held. */
  readonly residentMb: number;
}

interface Look {
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
      const natsPid = nats === null ? null : pidOf(nats.folder);
      const look = async (): Promise<Look> => ({
        text: await (await fetch(`${forebay.adminUrl}/metrics`)).text(),
        atMs: performance.now(),
        cpuMs: threadCpuMs(forebay.pid).allMs,
        natsMs: natsPid === null ? 0 : threadCpuMs(natsPid).allMs,
      });
      const { connections, seconds } = setting;
      await load(forebay.url, { wrk, connections, seconds: WARM_UP_S });
      const before = await look();
      const { errors } = await load(forebay.url, { wrk, connections, seconds });
      if (errors > 0) throw new Error(`${errors} answers were no 200`);
      const after = await look();
      return { ...setting, ...costs(before, after), residentMb: residentMostMb(forebay.pid) };
    } finally {
      await forebay.kill9();
    }
  } finally {
    await nats?.stop();
  }
}

/** A thread's share of a core is what it has used since the last scrape: over the load and nothing else. */
function costs(before: Look, after: Look) {
  const orders = readServer(after.text).created - readServer(before.text).created;
  const frames = framesIn(after.text) - framesIn(before.text);
  const spanMs = after.atMs - before.atMs;
  const each = (ms: number) => (ms * US_PER_MS) / orders;
  const threadUs = (kind: string) => each(sharesOf(after.text, kind) * spanMs);
  const [intakeUs, mainUs, poolUs] = [threadUs('intake'), threadUs('main'), threadUs('pool')];
  return {
    ordersPerS: (orders / spanMs) * 1000,
    ordersAFrame: orders / frames,
    intakeUs,
    mainUs,
    poolUs,
    otherUs: Math.max(0, each(after.cpuMs - before.cpuMs) - intakeUs - mainUs - poolUs),
    natsUs: each(after.natsMs - before.natsMs),
  };
}

function framesIn(text: string): number {
  return readMetric(text, 'forebay_frames_committed_total');
}

function sharesOf(text: string, kind: string): number {
  return readMetric(text, 'forebay_thread_cpu_ratio', `thread="${kind}`) || 0;
}

/** The process that was started with a file of this folder. */
function pidOf(folder: string): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder)) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`no process of ${folder}`);
}

function residentMostMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) / 1024;
}

function table(figures: readonly ScalingFigure[]): string {
  const lines = [
    '| journal | drain | intake threads | orders/s | orders a frame | intake µs | main µs | pool µs | other µs | nats-server µs | sum µs | most memory MB |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const figure of figures) {
    const { intakeUs, mainUs, poolUs, otherUs, natsUs } = figure;
    const parts = [intakeUs, mainUs, poolUs, otherUs, natsUs];
    const sum = parts.reduce((total, part) => total + part, 0);
    const cells = [
      figure.journal,
      figure.drain,
      figure.threads,
      Math.round(figure.ordersPerS).toLocaleString('en'),
      figure.ordersAFrame.toFixed(0),
      ...[...parts, sum].map((us) => us.toFixed(2)),
      figure.residentMb.toFixed(0),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/** By server of bench/servers; null where there is no valgrind. */
async function countInstructions(): Promise<Record<string, number> | null> {
  const valgrind = await valgrindProgram().catch((error: Error) => {
    console.error(`instructions are not counted: ${error.message}`);
    return null;
  });
  if (valgrind === null) return null;
  const counts: Record<string, number> = {};
  for (const program of ['bare', 'intake-only']) {
    counts[program] = await instructionsAnOrder(valgrind, program);
    console.log(`${program}: ${Math.round(counts[program])} instructions an order in user space`);
  }
  return counts;
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
    const counts = await countInstructions();
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
