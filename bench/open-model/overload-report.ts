import { fixed, table, whole } from '../harness/text.js';
import { median } from '../spread.js';
import type { SeenPhase } from './generator.js';
import { machineLine } from './machine.js';
import { quantile } from './quantiles.js';
import type { Run, ServerRounds } from './rounds.js';

export interface OverloadRun extends Run<OverloadRound> {
  readonly serverCores: string;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly seconds: number;
}

/** One start of one server. */
export interface OverloadRound {
  readonly capacity: SeenPhase;
  readonly memoryBefore: Memory;
  readonly factors: readonly {
    readonly factor: number;
    /** The small load before and after the overload. */
    readonly before: SeenPhase;
    readonly overload: SeenPhase;
    readonly after: SeenPhase;
    readonly memory: Memory;
  }[];
}

/** Peak resident memory so far, in MB: of the server, and of the processes behind it. */
export interface Memory {
  readonly serverMb: number;
  readonly behindMb: number;
}

/** Recovered: the p99 of the small load is at most this multiple of what it was before, … */
const RECOVERED_TIMES = 2;
/** … in this many windows in a row. */
const RECOVERED_WINDOWS = 3;
export const WINDOW_MS = 100;

const HEAD = [
  'server',
  'load',
  'orders/s due',
  'reached the server/s',
  'goodput/s',
  'of peak',
  '200',
  'other responses',
  'gave up',
  'p99 of 200s ms',
  'peak memory MB',
  'recovered ms',
];

const NS_PER_MS = 1e6;

type Factor = OverloadRound['factors'][number];

export function overloadText(run: OverloadRun): string {
  const servers = run.servers
    .map((server) => ({ ...server, rounds: server.rounds.filter(isCapacityKnown) }))
    .filter(({ rounds }) => rounds.length > 0);
  if (servers.length === 0) return 'no round counts: in each, clients gave up in the closed loop';
  const rows = servers.flatMap((server) => [
    capacityRow(server),
    ...server.rounds[0]!.factors.map((_, i) => row(server, i)),
  ]);
  return [
    `Medians of ${servers.map(({ rounds }) => rounds.length).join(', ')} rounds of ${run.seconds} s, ${run.connections} clients that give up after ${run.timeoutMs} ms; ${machineLine(run.machine)}; the generator alone on the last core, servers on ${run.serverCores}.`,
    '',
    table(HEAD, rows),
  ].join('\n');
}

/** If clients gave up in the closed loop, the machine stood still, and multiples of that capacity mean nothing. */
function isCapacityKnown({ capacity }: OverloadRound): boolean {
  return capacity.timedOut === 0 && capacity.createdInTime > 0;
}

function capacityRow({ name, rounds }: ServerRounds<OverloadRound>): string[] {
  const all = rounds.map(({ capacity }) => capacity);
  const goodput = median(all.map(perSecond));
  return [
    name,
    'closed loop',
    '',
    '',
    whole(goodput),
    fixed(median(rounds.map((round) => perSecond(round.capacity) / peak(round))), 2),
    ...answered(all),
    milliseconds(median(all.map(p99Created))),
    memory(rounds.map(({ memoryBefore }) => memoryBefore)),
    '',
  ];
}

function row({ name, rounds }: ServerRounds<OverloadRound>, i: number): string[] {
  const all = rounds.map(({ factors }) => factors[i]!);
  const loads = all.map(({ overload }) => overload);
  const of = (read: (load: SeenPhase) => number) => median(loads.map(read));
  return [
    name,
    `${all[0]!.factor} ×`,
    whole(of(({ rate }) => rate)),
    whole(of(({ sent, seconds }) => sent / seconds)),
    whole(of(perSecond)),
    fixed(median(rounds.map((round) => perSecond(round.factors[i]!.overload) / peak(round))), 2),
    ...answered(loads),
    milliseconds(of(p99Created)),
    memory(all.map((factor) => factor.memory)),
    recovered(median(all.map(recoveryMs))),
  ];
}

function perSecond({ createdInTime, seconds }: SeenPhase): number {
  return createdInTime / seconds;
}

/** The most 200s per second under any load. */
function peak({ capacity, factors }: OverloadRound): number {
  return Math.max(perSecond(capacity), ...factors.map(({ overload }) => perSecond(overload)));
}

function p99Created({ createdLatency }: SeenPhase): number {
  return quantile(createdLatency, 0.99);
}

/** Of all rounds together: 200s, other responses by status, requests without a response. */
function answered(loads: readonly SeenPhase[]): string[] {
  const byStatus = new Map<string, number>();
  for (const [status, count] of loads.flatMap((load) => Object.entries(load.byStatus))) {
    byStatus.set(status, (byStatus.get(status) ?? 0) + count);
  }
  const created = byStatus.get('200') ?? 0;
  byStatus.delete('200');
  const others = Array.from(byStatus, ([status, count]) => `${status}: ${whole(count)}`);
  const lost = loads.reduce((sum, { timedOut, broken }) => sum + timedOut + broken, 0);
  return [whole(created), others.join(', ') || '0', whole(lost)];
}

/** From the end of the overload until the p99 of the small load is back; infinite if not within the observed time. */
function recoveryMs({ before, after }: Factor): number {
  const bound = RECOVERED_TIMES * quantile(before.latency, 0.99);
  const isQuick = after.windows.map(({ latency, due }) => {
    const answers = latency.reduce((sum, [, count]) => sum + count, 0);
    return quantile(latency, 0.99, due - answers) <= bound;
  });
  const last = isQuick.length - RECOVERED_WINDOWS;
  const first = isQuick.findIndex(
    (_, i) => i <= last && isQuick.slice(i, i + RECOVERED_WINDOWS).every((quick) => quick),
  );
  return first < 0 ? Number.POSITIVE_INFINITY : (first + 1) * WINDOW_MS;
}

function memory(all: readonly Memory[]): string {
  const server = Math.max(...all.map(({ serverMb }) => serverMb));
  const behind = Math.max(...all.map(({ behindMb }) => behindMb));
  return behind === 0 ? server.toFixed(0) : `${server.toFixed(0)} + ${behind.toFixed(0)}`;
}

function recovered(ms: number): string {
  return Number.isFinite(ms) ? ms.toFixed(0) : 'not observed';
}

function milliseconds(ns: number): string {
  return Number.isFinite(ns) ? (ns / NS_PER_MS).toFixed(1) : '';
}
