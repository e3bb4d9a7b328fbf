import { YARDSTICK } from '../contestants/bare.js';
import { queuedName, TWO_THREADS } from '../contestants/forebay.js';
import { type Spread, spread } from '../spread.js';
import type { Case, Report } from './report.js';
import { cpuOf, rateOf, ratio } from './rows.js';

export type Outcome = 'met' | 'stretch met' | 'MISSED' | 'not measured';

export interface Verdict extends Case {
  readonly what: string;
  readonly bound: number;
  readonly stretch: number | null;
  /** Whether the bound is the least that will do, or the most. */
  readonly isLeast: boolean;
  readonly figure: Spread | null;
  readonly outcome: Outcome;
}

interface Target {
  readonly what: string;
  readonly connections: number;
  readonly bound: number;
  readonly stretch?: number;
  readonly isLeast: boolean;
  figure(report: Report, where: Case): Spread | null;
}

const INTAKE = queuedName('JetStream', 'off');
const FASTIFY = /^fastify \+ jetstream/i;
/** Bento is one too. */
const GO = /^(go|bento) /i;

/** What Forebay is meant to reach. Ratios are of the same round; what counts is their median. */
const TARGETS: readonly Target[] = [
  ofBare('JetStream, drain off ÷ bare', 256, INTAKE, 0.85, 0.92),
  ofBare('JetStream, drain off ÷ bare', 64, INTAKE, 0.6, 0.7),
  ofBare('JetStream, drain off ÷ bare', 1024, INTAKE, 0.9, 0.97),
  ofBare('JetStream, drain on ÷ bare', 256, queuedName('JetStream', 'on'), 0.6),
  ofBare('local journal, drain off ÷ bare', 256, queuedName('local', 'off'), 0.8),
  {
    what: 'JetStream: `sync_interval: always` ÷ default, drain off',
    connections: 256,
    bound: 0.85,
    isLeast: true,
    figure: (report, where) =>
      ratio(report, where, queuedName('JetStream sync always', 'off'), INTAKE, rateOf),
  },
  {
    what: 'JetStream, drain off ÷ Fastify with a publish an order',
    connections: 256,
    bound: 7,
    isLeast: true,
    figure: (report, where) => overBest(report, where, FASTIFY),
  },
  {
    what: 'JetStream, drain off ÷ the fastest in Go of the same durability',
    connections: 256,
    bound: 3,
    isLeast: true,
    figure: (report, where) => overBest(report, where, GO),
  },
  {
    what: 'processor time an order, Forebay and nats-server, drain off ÷ bare',
    connections: 256,
    bound: 1.35,
    isLeast: false,
    figure: (report, where) => ratio(report, where, INTAKE, YARDSTICK, cpuOf),
  },
  {
    what: 'memory of Forebay, 2 intake and 2 pool threads, MB',
    connections: 256,
    bound: 250,
    isLeast: false,
    figure: (report, where) => memory(report, where, TWO_THREADS),
  },
];

/** Every target for every body that was posted. */
export function judge(report: Report): Verdict[] {
  const bodies = [...new Set(report.cases.map(({ body }) => body))];
  return bodies.flatMap((body) => TARGETS.map((target) => verdict(report, target, body)));
}

function verdict(report: Report, target: Target, body: string): Verdict {
  const { what, connections, bound, stretch = null, isLeast } = target;
  const figure = target.figure(report, { connections, body });
  const outcome = outcomeOf(figure, target);
  return { what, connections, body, bound, stretch, isLeast, figure, outcome };
}

function outcomeOf(figure: Spread | null, { bound, stretch, isLeast }: Target): Outcome {
  if (figure === null || Number.isNaN(figure.median)) return 'not measured';
  const reaches = (limit: number) => (isLeast ? figure.median >= limit : figure.median <= limit);
  if (stretch !== undefined && reaches(stretch)) return 'stretch met';
  return reaches(bound) ? 'met' : 'MISSED';
}

function ofBare(
  what: string,
  connections: number,
  name: string,
  bound: number,
  stretch?: number,
): Target {
  return {
    what,
    connections,
    bound,
    ...(stretch === undefined ? {} : { stretch }),
    isLeast: true,
    figure: (report, where) => ratio(report, where, name, YARDSTICK, rateOf),
  };
}

/** Against the fastest of those that a pattern names and that promise the same. */
function overBest(report: Report, where: Case, names: RegExp): Spread | null {
  const own = report.entrants.find(({ name }) => name === INTAKE)?.durability;
  const rivals = report.entrants.filter(
    ({ name, kind, durability }) => kind === 'other' && durability === own && names.test(name),
  );
  const ratios = rivals.flatMap(({ name }) => ratio(report, where, INTAKE, name, rateOf) ?? []);
  return ratios.length === 0
    ? null
    : ratios.reduce((worst, next) => (next.median < worst.median ? next : worst));
}

function memory(report: Report, where: Case, name: string): Spread | null {
  const most = report.measured.filter(
    ({ contestant, connections, body }) =>
      contestant === name && connections === where.connections && body === where.body,
  );
  return most.length === 0 ? null : spread(most.map(({ figures }) => figures.httpMb));
}
