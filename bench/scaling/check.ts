/**
 * The parts of the arithmetic of docs/guides/scaling.md, each checked with 1 and 2 cores: what the first measurement predicts for
 * the second one.
 */
import { constants } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { QUEUE, startJetStream } from '../contestants/brokers.js';
import { ORDER } from '../load.js';
import { threadCpuMs } from '../process-figures.js';
import { rangeText, type Spread, spread } from '../spread.js';
import { limitCpus } from './limit.js';
import { measured, type ScalingFigure, type Setting, sumUs } from './measure.js';

/** A prediction holds if it is this close. */
const TOLERANCE = 0.15;

interface Outcome {
  readonly predicted: number;
  readonly measured: number;
}

/** What a part of the arithmetic says, and how it is checked. By name of the figure. */
interface Part {
  readonly name: string;
  check(wrk: string): Promise<Readonly<Record<string, Outcome>>>;
}

export interface Checked {
  readonly part: string;
  readonly figure: string;
  readonly rounds: readonly Outcome[];
  /** Measured divided by predicted. */
  readonly ratio: Spread;
  readonly holds: boolean;
}

export interface CheckOptions {
  readonly wrk: string;
  readonly rounds: number;
  /** Part of the names of what is checked; empty: all. */
  readonly only: string;
}

/** Prints a table. @throws Error without root on Linux: control groups limit the servers */
export async function checkPredictions(options: CheckOptions): Promise<Checked[]> {
  const { wrk, rounds, only } = options;
  const all: Checked[] = [];
  for (const { name, check } of PARTS.filter((part) => part.name.includes(only))) {
    const outcomes: Readonly<Record<string, Outcome>>[] = [];
    for (let round = 1; round <= rounds; round++) {
      outcomes.push(await check(wrk));
      console.error(`round ${round} of ${rounds}: ${name}`);
    }
    for (const figure of Object.keys(outcomes[0]!)) {
      const ofRounds = outcomes.map((outcome) => outcome[figure]!);
      const ratio = spread(ofRounds.map(({ predicted, measured }) => measured / predicted));
      const holds = Math.abs(ratio.median - 1) <= TOLERANCE;
      all.push({ part: name, figure, rounds: ofRounds, ratio, holds });
    }
  }
  console.log(table(all));
  return all;
}

function table(all: readonly Checked[]): string {
  const lines = all.map(({ part, figure, rounds, ratio, holds }) => {
    const middle = (pick: (outcome: Outcome) => number) => round(spread(rounds.map(pick)).median);
    const [predicted, found] = [middle((one) => one.predicted), middle((one) => one.measured)];
    const cells = [part, figure, predicted, found, rangeText(ratio), holds ? 'holds' : '**fails**'];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| prediction | figure | predicted | measured | measured ÷ predicted | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function round(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en');
}

const PLAIN: Setting = {
  journal: 'local',
  threads: 1,
  drain: 'off',
  connections: 256,
  seconds: 3,
  batch: 1,
  cpus: null,
};
const TWICE = { threads: 2, connections: 2 * PLAIN.connections } as const;
const IN_BATCHES: Setting = { ...PLAIN, connections: 64, batch: 100 };
const JOURNALS = ['local', 'jetstream'] as const;

const PARTS: readonly Part[] = [
  ...JOURNALS.map((journal) => ({
    name: `throughput grows with CPU time, ${journal}`,
    check: async (wrk: string) => {
      const half = await measured(wrk, { ...PLAIN, journal, cpus: 0.5 });
      const whole = await measured(wrk, { ...PLAIN, journal, cpus: 1 });
      return {
        'orders/s, from 0.5 to 1 CPU': rates(half, whole, 2),
        'CPU µs per order': both(half, whole, sumUs),
      };
    },
  })),
  ...JOURNALS.map((journal) => ({
    // Batches, because their load costs the generator little: it needs the same two cores.
    name: `a second thread and core add as much, batches of 100, ${journal}`,
    check: async (wrk: string) => {
      const one = await measured(wrk, { ...IN_BATCHES, journal, cpus: 1 });
      const two = await measured(wrk, { ...IN_BATCHES, journal, threads: 2, connections: 128 });
      return {
        'orders/s, from 1 core to what the generator leaves of 2': rates(
          one,
          two,
          2 - two.generatorCores,
        ),
        'CPU µs per order': both(one, two, sumUs),
      };
    },
  })),
  {
    name: 'a second thread with connections of its own costs the same, jetstream',
    check: async (wrk) => {
      const one = await measured(wrk, { ...PLAIN, journal: 'jetstream' });
      const two = await measured(wrk, { ...PLAIN, ...TWICE, journal: 'jetstream' });
      return {
        'intake µs per order': both(one, two, ({ intakeUs }) => intakeUs),
        'orders per frame': both(one, two, ({ ordersPerFrame }) => ordersPerFrame),
        'nats-server µs per frame': both(one, two, natsFrameUs),
      };
    },
  },
  ...JOURNALS.map((journal) => ({
    name: `the drain costs the same per frame, ${journal}`,
    check: async (wrk: string) => {
      const setting = { ...PLAIN, journal, drain: 'on' } as const;
      const one = await measured(wrk, setting);
      const two = await measured(wrk, { ...setting, ...TWICE });
      const frameUs = ({ drainUs, ordersPerFrame }: ScalingFigure) => drainUs * ordersPerFrame;
      return { 'main and drain thread µs per frame': both(one, two, frameUs) };
    },
  })),
  {
    name: 'one stream takes as many frames as one core of nats-server',
    check: async (wrk) => {
      const one = await measured(wrk, { ...PLAIN, journal: 'jetstream' });
      return { 'frames/s': { predicted: 1e6 / natsFrameUs(one), measured: await floodedFrames() } };
    },
  },
  {
    name: 'flushes of several threads run in parallel',
    check: async () => {
      const one = await flushesPerS(1);
      return {
        'flushes/s, from 1 to 2 writers': { predicted: 2 * one, measured: await flushesPerS(2) },
        'flushes/s, from 1 to 4 writers': { predicted: 4 * one, measured: await flushesPerS(4) },
      };
    },
  },
];

function rates(one: ScalingFigure, more: ScalingFigure, factor: number): Outcome {
  return { predicted: factor * one.ordersPerS, measured: more.ordersPerS };
}

function both(
  one: ScalingFigure,
  two: ScalingFigure,
  pick: (figure: ScalingFigure) => number,
): Outcome {
  return { predicted: pick(one), measured: pick(two) };
}

function natsFrameUs({ natsUs, ordersPerFrame }: ScalingFigure): number {
  return natsUs * ordersPerFrame;
}

const FRAME_ORDERS = 100;
const FLOOD_S = 3;
const FLOOD_IN_FLIGHT = 128;

/** Frames per second that nats-server acknowledges with the time of one core, all on one stream. */
async function floodedFrames(): Promise<number> {
  const broker = await startJetStream('default');
  const pid = broker.pids['nats-server']!;
  const limit = limitCpus(1, [pid]);
  try {
    const connection = await connect({ servers: broker.url });
    const publisher = jetstream(connection);
    const frame = Array.from({ length: FRAME_ORDERS }, () => ORDER).join('\n');
    const begunMs = performance.now();
    const cpuMs = threadCpuMs(pid).allMs;
    let frames = 0;
    const publish = async () => {
      while (performance.now() - begunMs < FLOOD_S * 1000) {
        await publisher.publish(QUEUE, frame);
        frames++;
      }
    };
    await Promise.all(Array.from({ length: FLOOD_IN_FLIGHT }, publish));
    const usedCores = (threadCpuMs(pid).allMs - cpuMs) / (performance.now() - begunMs);
    console.error(`nats-server used ${usedCores.toFixed(2)} cores for ${frames} frames`);
    await connection.close();
    return frames / FLOOD_S;
  } finally {
    await broker.stop();
    limit.remove();
  }
}

const FLUSH_BYTES = 8192;
const FLUSH_FILE_BYTES = 8 * 2 ** 20;
const FLUSH_S = 1.5;

/** Durable writes per second of as many writers, each in a file of its own whose blocks exist, as the local journal does it. */
async function flushesPerS(writers: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-flush-'));
  try {
    let flushes = 0;
    const files = await Promise.all(
      Array.from({ length: writers }, (_, i) => preallocated(join(folder, `${i}`))),
    );
    const begunMs = performance.now();
    const write = async (file: Awaited<ReturnType<typeof open>>) => {
      for (let at = 0; performance.now() - begunMs < FLUSH_S * 1000; flushes++) {
        await file.write(Buffer.alloc(FLUSH_BYTES, flushes), 0, FLUSH_BYTES, at);
        at = (at + FLUSH_BYTES) % FLUSH_FILE_BYTES;
      }
    };
    await Promise.all(files.map(write));
    for (const file of files) await file.close();
    return flushes / FLUSH_S;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function preallocated(path: string) {
  const empty = await open(path, 'w');
  await empty.write(Buffer.alloc(FLUSH_FILE_BYTES));
  await empty.sync();
  await empty.close();
  return open(path, constants.O_WRONLY | constants.O_DSYNC);
}
