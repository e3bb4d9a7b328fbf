import { table, whole } from '../harness/text.js';
import { median } from '../spread.js';
import type { SeenPhase } from './generator.js';
import { machineLine } from './machine.js';
import { merged, quantile } from './quantiles.js';
import type { Run, ServerRounds } from './rounds.js';

/** Each round has one phase per rate. */
export interface RatesRun extends Run<SeenPhase[]> {
  readonly serverCores: string;
  readonly connections: number;
  readonly seconds: number;
  readonly rates: readonly number[];
}

/** Value of `serverCores` if generator and servers share them. */
export const ALL_CORES = 'all';

/** A round counts only if the generator was late by at most this share of the latency, … */
const LATE_SHARE_MAX = 0.25;
/** … by at most 1 ms (on its own core it is later only if the whole machine stopped), … */
const LATE_MS_MAX = 1;
/** … and idle for at least this share of the time. */
const IDLE_SHARE_MIN = 0.1;

const HEAD = [
  'orders/s',
  'server',
  'p50 ms',
  'p99 ms',
  'range of p99',
  'p99.9 ms',
  'not 200',
  'generator late, p99 ms',
  'generator busy',
  'rounds',
];

const NS_PER_MS = 1e6;

export function ratesText(run: RatesRun): string {
  const servers = run.servers.filter(({ rounds }) => rounds.length > 0);
  const { connections, seconds, serverCores } = run;
  if (servers.length === 0) return 'nothing was measured';
  const rounds = servers[0]!.rounds.length;
  const rows = run.rates.flatMap((_rate, i) => servers.map((server) => row(server, i)));
  return [
    `${rounds} rounds of ${seconds} s per rate (twice that below 1,000/s), ${connections} connections; ${machineLine(run.machine)}; ${placement(serverCores)}.`,
    '',
    table(HEAD, rows),
  ].join('\n');
}

function placement(serverCores: string): string {
  if (serverCores === ALL_CORES) return 'generator and servers share all cores';
  return `the generator alone on the last core, servers on ${serverCores}`;
}

function row(server: ServerRounds<SeenPhase[]>, rate: number): string[] {
  const all = server.rounds.map((round) => round[rate]!);
  const rounds = all.filter((round) => !isDisturbed(round));
  const late = ms(median(all.map(({ lateness }) => quantile(lateness, 0.99))));
  const busy = `${Math.round(100 * (1 - median(all.map(({ idleShare }) => idleShare))))}%`;
  // If most rounds were disturbed, the remaining ones are not trustworthy either.
  const shown = 2 * rounds.length > all.length ? measured(rounds) : ['void', '', '', '', ''];
  const counted = `${rounds.length} of ${all.length}`;
  return [whole(all[0]!.rate), server.name, ...shown, late, busy, counted];
}

function measured(rounds: readonly SeenPhase[]): string[] {
  const p99 = ofRounds(rounds, 0.99);
  return [
    ms(median(ofRounds(rounds, 0.5))),
    ms(median(p99)),
    `${ms(Math.min(...p99))} to ${ms(Math.max(...p99))}`,
    p999(rounds),
    `${rounds.reduce((sum, round) => sum + failures(round), 0)}`,
  ];
}

/** The median of the rounds; of all rounds together, marked, if a round has too few requests for it. */
function p999(rounds: readonly SeenPhase[]): string {
  if (rounds[0]!.due >= 1000) return ms(median(ofRounds(rounds, 0.999)));
  const missing = rounds.reduce((sum, round) => sum + unanswered(round), 0);
  return `${ms(quantile(merged(rounds.map(({ latency }) => latency)), 0.999, missing))} *`;
}

function ofRounds(rounds: readonly SeenPhase[], share: number): number[] {
  return rounds.map((round) => quantile(round.latency, share, unanswered(round)));
}

function unanswered({ broken, timedOut, notOffered }: SeenPhase): number {
  return broken + timedOut + notOffered;
}

/** Requests that were due and got no 200. */
function failures({ due, byStatus }: SeenPhase): number {
  return due - (byStatus['200'] ?? 0);
}

/** Whether the generator or the machine was the limit instead of the server. */
function isDisturbed({ latency, lateness, idleShare }: SeenPhase): boolean {
  if (idleShare < IDLE_SHARE_MIN || quantile(lateness, 0.99) > LATE_MS_MAX * NS_PER_MS) return true;
  return [0.5, 0.99].some(
    (share) => quantile(lateness, share) > LATE_SHARE_MAX * quantile(latency, share),
  );
}

function ms(ns: number): string {
  if (!Number.isFinite(ns)) return 'no answer';
  const value = ns / NS_PER_MS;
  return value.toFixed(value < 10 ? 3 : 0);
}
