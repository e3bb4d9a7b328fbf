import { REFERENCE } from '../../bench/contestants/bare.js';
import { queuedName } from '../../bench/contestants/forebay.js';
import type { Entrant, Figures, Report } from '../../bench/harness/report.js';

export const JETSTREAM = queuedName('JetStream', 'off');
const ALWAYS = queuedName('JetStream sync always', 'off');
export const FASTIFY = 'Fastify + JetStream';

export const FIGURES: Figures = {
  ordersPerSecond: 100_000,
  p50Ms: 1,
  p99Ms: 2,
  errors: 0,
  donePerSecond: 0,
  httpCpuUs: 8,
  behindCpuUs: {},
  httpCores: 0.9,
  generatorRatio: 0.7,
  httpMb: 120,
  behindMb: {},
  readyMs: 300,
  stealRatio: 0,
  othersRatio: 0,
};

const entrant = (name: string, kind: string, durability: Entrant['durability']) => ({
  name,
  kind,
  durability,
  about: `description of ${name}`,
});

/** Orders per second by round, of one case. */
export type Rates = Readonly<Record<string, readonly number[]>>;

export const RATES: Rates = {
  [REFERENCE]: [100_000, 200_000, 100_000, 100_000, 100_000],
  [JETSTREAM]: [86_000, 180_000, 84_000, 87_000, 70_000],
};

/** A report of one run with 256 connections. @param figures by contestant, other than FIGURES */
export function sampleReport(
  rates: Rates = RATES,
  figures: Readonly<Record<string, Partial<Figures>>> = {},
): Report {
  return {
    takenAt: '2026-11-24T10:00:00.000Z',
    machine: {
      cpu: 'A processor',
      cores: 2,
      kernel: 'Linux 6.1',
      memoryGb: 8,
      fileSystem: 'ext4',
      flushMs: 0.5,
    },
    versions: { node: '20.20.2', wrk: '4.1.0' },
    options: {
      rounds: 5,
      seconds: 4,
      warmUpS: 3,
      pinning: 'generator on core 0, servers on any core',
      pinningFault: '',
      serverCores: 2,
      only: [],
    },
    cases: [{ connections: 256, body: 'plain', batch: 1 }],
    entrants: [
      entrant(REFERENCE, 'limit', 'none'),
      entrant(JETSTREAM, 'forebay', 'system'),
      entrant(ALWAYS, 'forebay', 'fsync'),
      entrant(FASTIFY, 'other', 'system'),
    ].filter(({ name }) => name in rates),
    leftOut: [],
    measured: Object.entries(rates).flatMap(([contestant, ofRounds]) =>
      ofRounds.map((ordersPerSecond, i) => ({
        connections: 256,
        body: 'plain',
        batch: 1,
        contestant,
        round: i + 1,
        figures: { ...FIGURES, ...figures[contestant], ordersPerSecond },
      })),
    ),
  };
}

/** Bare one by one, JetStream also in batches of 100. */
export function classesReport(): Report {
  const report = sampleReport();
  const batch = { connections: 64, body: 'plain', batch: 100 };
  const inBatches = report.measured
    .filter(({ contestant }) => contestant === JETSTREAM)
    .map((one) => ({
      ...one,
      ...batch,
      figures: { ...one.figures, ordersPerSecond: 400_000, httpCpuUs: 2 },
    }));
  return {
    ...report,
    options: { ...report.options, serverCores: 1 },
    cases: [...report.cases, batch],
    measured: [...report.measured, ...inBatches],
  };
}
