import assert from 'node:assert/strict';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { WindowLimiter } from '../../src/limit/window.js';
import { median } from '../spread.js';

const HOUR_MS = 3_600_000;
const NANOSECOND_MS = 1e-6;
/**
 * Admitted: windows so short that the limit is never reached. Sparse: a window of a nanosecond, so each admission is the only
 * one in its window, where the limiter reads its head too. Refused: a full window of an hour.
 */
const cases = [
  { path: 'admitted', limit: 50, windowMs: 100 * NANOSECOND_MS },
  { path: 'admitted', limit: 1_000_000, windowMs: 5 },
  { path: 'sparse', limit: 50, windowMs: NANOSECOND_MS },
  { path: 'refused', limit: 50, windowMs: HOUR_MS },
] as const;

type Path = (typeof cases)[number]['path'];

export interface LimiterFigure {
  readonly path: Path;
  readonly limit: number;
  readonly threads: number;
  /** CPU time per decision, median of the rounds. */
  readonly processorNs: number;
  /** Time from the first start to the last end, divided by the decisions of all threads; median. */
  readonly wallNs: number;
}

/** Data of a worker thread. This file is also the threads' entry. */
interface LimiterTask {
  readonly limiterMemory: SharedArrayBuffer;
  readonly iterations: number;
}

interface LimiterLap {
  readonly startNs: number;
  readonly endNs: number;
  readonly admitted: number;
}

interface Round {
  readonly processorNs: number;
  readonly laps: readonly LimiterLap[];
}

/** Measures decisions, clock reading included, with 1, 2 and 4 threads on one limiter. */
export async function limiterBench(size: {
  readonly rounds: number;
  /** Decisions per thread and round. */
  readonly iterations: number;
}): Promise<LimiterFigure[]> {
  const figures: LimiterFigure[] = [];
  for (const { path, limit, windowMs } of cases) {
    for (const threads of [1, 2, 4]) {
      const memory = WindowLimiter.memory(limit, windowMs);
      if (path === 'refused') fill(memory);
      const task = { limiterMemory: memory, iterations: size.iterations };
      const rounds = await runThreads(task, threads, size.rounds);
      for (const { admitted } of rounds.flatMap((round) => round.laps)) {
        assert.equal(admitted, path === 'refused' ? 0 : size.iterations);
      }
      figures.push({ path, limit, threads, ...medians(rounds, threads * size.iterations) });
    }
  }
  return figures;
}

function fill(memory: SharedArrayBuffer): void {
  const limiter = new WindowLimiter(memory);
  while (limiter.tryAdmit());
}

/** The first round is a warm-up and not returned. */
async function runThreads(task: LimiterTask, threads: number, count: number): Promise<Round[]> {
  const file = new URL(import.meta.url);
  const workers = Array.from({ length: threads }, () => new Worker(file, { workerData: task }));
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const rounds: Round[] = [];
    for (let round = 0; round <= count; round++) {
      const before = process.cpuUsage();
      const ends = workers.map((worker) => once(worker, 'message'));
      for (const worker of workers) worker.postMessage('go');
      const laps = (await Promise.all(ends)).map(([lap]) => lap as LimiterLap);
      const { user, system } = process.cpuUsage(before);
      rounds.push({ processorNs: (user + system) * 1000, laps });
    }
    return rounds.slice(1);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function medians(rounds: readonly Round[], decisions: number) {
  const wallNs = rounds.map(({ laps }) => {
    const start = Math.min(...laps.map((lap) => lap.startNs));
    return (Math.max(...laps.map((lap) => lap.endNs)) - start) / decisions;
  });
  const processorNs = rounds.map((round) => round.processorNs / decisions);
  return { processorNs: median(processorNs), wallNs: median(wallNs) };
}

/** In a worker thread: makes `iterations` decisions for each message. */
function runLaps({ limiterMemory, iterations }: LimiterTask): void {
  const limiter = new WindowLimiter(limiterMemory);
  parentPort?.on('message', () => {
    const begin = process.hrtime.bigint();
    let admitted = 0;
    for (let i = 0; i < iterations; i++) if (limiter.tryAdmit()) admitted += 1;
    const end = process.hrtime.bigint();
    const lap: LimiterLap = { startNs: Number(begin), endNs: Number(end), admitted };
    parentPort?.postMessage(lap);
  });
  parentPort?.postMessage('ready');
}

if (workerData?.limiterMemory instanceof SharedArrayBuffer) {
  runLaps(workerData);
} else if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const figures = await limiterBench({ rounds: 9, iterations: 500_000 });
  console.table(
    figures.map(({ path, limit, threads, processorNs, wallNs }) => ({
      path,
      limit,
      threads,
      'CPU ns per decision': Math.round(processorNs),
      'wall ns per decision, all threads': Math.round(wallNs),
    })),
  );
}
