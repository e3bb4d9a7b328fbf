import { readMetric, readServer } from '../../k6/lib/metrics-text.js';
import { startForebay } from '../../test/support/forebay.js';
import { NatsServer } from '../../test/support/nats.js';
import { load, ORDER } from '../load.js';
import { residentMaxMb, threadCpuMs } from '../process-figures.js';
import { type CpuLimit, limitCpus } from './limit.js';

const WARM_UP_S = 2;
const US_PER_MS = 1000;

export interface Setting {
  readonly journal: 'local' | 'jetstream';
  readonly threads: number;
  readonly drain: 'on' | 'off';
  readonly connections: number;
  readonly seconds: number;
  /** Orders in a request. */
  readonly batch: number;
  /** How many cores' worth of time Forebay and nats-server may use together, with a control group; null: no limit. */
  readonly cpus: number | null;
}

/** CPU time per accepted order, in microseconds. */
export interface ScalingFigure extends Setting {
  readonly ordersPerS: number;
  readonly ordersPerFrame: number;
  readonly intakeUs: number;
  /** The main thread and the drain thread. */
  readonly drainUs: number;
  readonly poolUs: number;
  /** The other threads of the process: the journal's writer, V8's helpers. */
  readonly otherUs: number;
  readonly natsUs: number;
  /** Cores that the generator used. */
  readonly generatorCores: number;
  /** Peak resident memory of the process. */
  readonly residentMb: number;
}

interface Poll {
  readonly atMs: number;
  readonly text: string;
  readonly cpuMs: number;
  readonly natsMs: number;
}

export async function measured(wrk: string, setting: Setting): Promise<ScalingFigure> {
  const nats = setting.journal === 'jetstream' ? await NatsServer.start() : null;
  let limit: CpuLimit | null = null;
  try {
    const forebay = await startForebay([
      ...['--threads', `${setting.threads}`, '--workers', '2'],
      ...['--drain', setting.drain, '--log-level', 'warn'],
      ...(nats === null ? [] : ['--nats', nats.url]),
    ]);
    limit = limitCpus(setting.cpus, [forebay.pid, ...(nats === null ? [] : [nats.pid])]);
    try {
      const poll = async (): Promise<Poll> => ({
        text: await (await fetch(`${forebay.adminUrl}/metrics`)).text(),
        atMs: performance.now(),
        cpuMs: threadCpuMs(forebay.pid).allMs,
        natsMs: nats === null ? 0 : threadCpuMs(nats.pid).allMs,
      });
      const { seconds } = setting;
      const shape = { wrk, ...shapeOf(setting) };
      await load(forebay.url, { ...shape, seconds: WARM_UP_S });
      const before = await poll();
      const { errors, generatorRatio } = await load(forebay.url, { ...shape, seconds });
      if (errors > 0) throw new Error(`${errors} responses were not 200`);
      const after = await poll();
      return {
        ...setting,
        generatorCores: generatorRatio,
        ...costs(before, after, setting.batch),
        residentMb: residentMaxMb(forebay.pid),
      };
    } finally {
      await forebay.kill9();
    }
  } finally {
    await nats?.stop();
    limit?.remove();
  }
}

function shapeOf({ batch, connections }: Setting) {
  if (batch === 1) return { connections };
  const bodies = [Array.from({ length: batch }, () => ORDER).join('\n')];
  return { connections, path: '/orders/batch', mediaType: 'application/x-ndjson', bodies };
}

/** CPU time of an order in all threads and nats-server. */
export function sumUs(figure: ScalingFigure): number {
  const { intakeUs, drainUs, poolUs, otherUs, natsUs } = figure;
  return intakeUs + drainUs + poolUs + otherUs + natsUs;
}

/** The CPU ratio of a thread covers the time since the last scrape: the measured load and nothing else. */
function costs(before: Poll, after: Poll, batch: number) {
  const orders = (readServer(after.text).created - readServer(before.text).created) * batch;
  const frames = framesIn(after.text) - framesIn(before.text);
  const spanMs = after.atMs - before.atMs;
  const each = (ms: number) => (ms * US_PER_MS) / orders;
  const threadUs = (kind: string) => each(sharesOf(after.text, kind) * spanMs);
  const [intakeUs, poolUs] = [threadUs('intake'), threadUs('pool')];
  const drainUs = threadUs('main') + threadUs('drain');
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
