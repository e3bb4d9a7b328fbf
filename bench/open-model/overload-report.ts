import { fixed, table, whole } from '../harness/text.js';
import { median } from '../spread.js';
import type { SeenPhase } from './generator.js';
import { machineLine } from './machine.js';
import type { OverloadRound, OverloadRun } from './overload.js';
import { quantile } from './quantiles.js';
import type { ServerRounds } from './rounds.js';

/** Goodput at 4 times the capacity, of the peak; and until the p99 of a small load is what it was (issue 5). */
const GOODPUT_MIN = 0.95;
const RECOVERY_MS_MAX = 1000;
/** The p99 of the small load counts as what it was up to so many times of that. */
const RECOVERED_TIMES = 2;
/** So many windows in a row: one alone may be luck. */
const RECOVERED_WINDOWS = 3;
/** In which the answers of the small load are looked at. */
export const WINDOW_MS = 100;

const HEAD = [
  'server',
  'due',
  'orders/s due',
  'reached it/s',
  'goodput/s',
  'of peak',
  '200',
  'other answers',
  'given up',
  'p99 of 200s ms',
  'most memory MB',
  'recovered ms',
];

const NS_PER_MS = 1e6;

type Factor = OverloadRound['factors'][number];

export function overloadText(run: OverloadRun): string {
  const servers = run.servers
    .map((server) => ({ ...server, rounds: server.rounds.filter(isCapacityKnown) }))
    .filter(({ rounds }) => rounds.length > 0);
  if (servers.length === 0) return 'no round counts: in each, clients gave up in the closed loop';
  const lines = [
    `medians of ${servers.map(({ rounds }) => rounds.length).join(', ')} rounds, ${run.seconds} s each, ${run.connections} clients that give up after ${run.timeoutMs} ms; ${machineLine(run.machine)}; the generator alone on the last core, servers on ${run.serverCores}.`,
    '',
    table(
      HEAD,
      servers.flatMap((server) => [
        capacityRow(server),
        ...server.rounds[0]!.factors.map((_, i) => row(server, i)),
      ]),
    ),
    '',
    ...servers.map(judged),
  ];
  return lines.join('\n');
}

/** A closed loop in which clients gave up has met a machine that stood still: what was offered then says nothing. */
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

/** The most 200s a second that were seen, under whatever load. */
function peak({ capacity, factors }: OverloadRound): number {
  return Math.max(perSecond(capacity), ...factors.map(({ overload }) => perSecond(overload)));
}

function p99Created({ createdLatency }: SeenPhase): number {
  return quantile(createdLatency, 0.99);
}

/** 200s, other answers by status, and requests without an answer; of all rounds together. */
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

/** From the end of the overload until the small load has its old p99 again; infinite: not while it was watched. */
function recoveryMs({ before, after }: Factor): number {
  const bound = RECOVERED_TIMES * quantile(before.latency, 0.99);
  const well = after.windows.map(({ latency, due }) => {
    const answers = latency.reduce((sum, [, count]) => sum + count, 0);
    return quantile(latency, 0.99, due - answers) <= bound;
  });
  const last = well.length - RECOVERED_WINDOWS;
  const first = well.findIndex(
    (_, i) => i <= last && well.slice(i, i + RECOVERED_WINDOWS).every((isWell) => isWell),
  );
  return first < 0 ? Number.POSITIVE_INFINITY : (first + 1) * WINDOW_MS;
}

function memory(all: readonly { readonly serverMb: number; readonly behindMb: number }[]): string {
  const server = Math.max(...all.map(({ serverMb }) => serverMb));
  const behind = Math.max(...all.map(({ behindMb }) => behindMb));
  return behind === 0 ? server.toFixed(0) : `${server.toFixed(0)} + ${behind.toFixed(0)}`;
}

function judged({ name, rounds }: ServerRounds<OverloadRound>): string {
  const worst = rounds[0]!.factors.length - 1;
  const ratio = median(
    rounds.map((round) => perSecond(round.factors[worst]!.overload) / peak(round)),
  );
  const recovery = Math.max(
    ...rounds[0]!.factors.map((_, i) =>
      median(rounds.map(({ factors }) => recoveryMs(factors[i]!))),
    ),
  );
  const verdict = (holds: boolean) => (holds ? 'holds' : 'MISSED');
  return [
    `- ${name}: goodput at ${rounds[0]!.factors[worst]!.factor} times the capacity ${fixed(ratio, 2)} of the peak,`,
    `at least ${GOODPUT_MIN}: ${verdict(ratio >= GOODPUT_MIN)};`,
    `recovered after ${recovered(recovery)} ms at most, below ${RECOVERY_MS_MAX}: ${verdict(recovery < RECOVERY_MS_MAX)}.`,
  ].join(' ');
}

function recovered(ms: number): string {
  return Number.isFinite(ms) ? ms.toFixed(0) : 'not while watched';
}

function milliseconds(ns: number): string {
  return Number.isFinite(ns) ? (ns / NS_PER_MS).toFixed(1) : '';
}
