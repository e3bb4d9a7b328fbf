import { table, whole } from '../harness/text.js';
import { median } from '../spread.js';
import type { SeenPhase } from './generator.js';
import { machineLine } from './machine.js';
import { merged, quantile } from './quantiles.js';
import type { RatesRun } from './rates.js';
import type { ServerRounds } from './rounds.js';

/** What is meant to hold (issue 5), in JetStream's default sync. */
const JUDGED = { rate: 10_000, p99MsMax: 3, timesBareMax: 3 };
const JUDGED_SERVERS = ['Forebay, JetStream, drain off', 'Forebay, JetStream'];
/** The generator's own lateness must be small beside the latency that is measured. */
const LATE_SHARE_MAX = 0.25;
/** On a core of its own it is never so late, unless the machine itself stood still: then its servers did too. */
const LATE_MS_MAX = 1;
/** A generator with less to spare is the bottleneck, or soon. */
const IDLE_SHARE_MIN = 0.1;

const HEAD = [
  'orders/s',
  'server',
  'p50 ms',
  'p99 ms',
  'spread of p99',
  'p99.9 ms',
  'not 200',
  'generator late p99 ms',
  'busy',
  'rounds',
];

const NS_PER_MS = 1e6;

export function ratesText(all: RatesRun): string {
  const run = { ...all, servers: all.servers.filter(({ rounds }) => rounds.length > 0) };
  const { servers, connections, seconds, serverCores } = run;
  if (servers.length === 0) return 'nothing was measured';
  const rounds = servers[0]!.rounds.length;
  const lines = [
    `${rounds} rounds, ${seconds} s each rate (twice that below 1,000/s), ${connections} connections; ${machineLine(run.machine)}; ${placement(serverCores)}.`,
    '',
    table(
      HEAD,
      run.rates.flatMap((_rate, i) => servers.map((server) => row(server, i))),
    ),
    '',
    ...JUDGED_SERVERS.map((name) => judged(run, name)),
  ];
  return lines.join('\n').trimEnd();
}

function placement(serverCores: string): string {
  if (serverCores === 'all') return 'generator and servers share all cores';
  return `the generator alone on the last core, servers on ${serverCores}`;
}

function row(server: ServerRounds<SeenPhase[]>, rate: number): string[] {
  const all = server.rounds.map((round) => round[rate]!);
  const rounds = all.filter((round) => !isDisturbed(round));
  const late = ms(median(all.map(({ lateness }) => quantile(lateness, 0.99))));
  const busy = `${Math.round(100 * (1 - median(all.map(({ idleShare }) => idleShare))))}%`;
  // Where most rounds were disturbed, the others may have been by as much as nobody saw.
  const shown = 2 * rounds.length > all.length ? measured(rounds) : ['VOID', '', '', '', ''];
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

/** Of each round; where a round has too few requests to have one, of all rounds together, marked. */
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

/** Requests that were due and did not get a 200. */
function failures({ due, byStatus }: SeenPhase): number {
  return due - (byStatus['200'] ?? 0);
}

/** Whether what was measured is the generator, or the machine, rather than the server. */
function isDisturbed({ latency, lateness, idleShare }: SeenPhase): boolean {
  if (idleShare < IDLE_SHARE_MIN || quantile(lateness, 0.99) > LATE_MS_MAX * NS_PER_MS) return true;
  return [0.5, 0.99].some(
    (share) => quantile(lateness, share) > LATE_SHARE_MAX * quantile(latency, share),
  );
}

function judged({ servers, rates }: RatesRun, name: string): string {
  const rate = rates.indexOf(JUDGED.rate);
  const server = servers.find((other) => other.name === name);
  const bare = servers.find(({ name }) => name.startsWith('bare'));
  if (rate < 0 || server === undefined || bare === undefined) return '';
  // Round by round, where both count: only what ran side by side compares.
  const pairs = server.rounds
    .slice(0, bare.rounds.length)
    .map((round, i) => [round[rate]!, bare.rounds[i]![rate]!] as const)
    .filter((pair) => !pair.some(isDisturbed))
    .map((pair) => ofRounds(pair, 0.99) as [number, number]);
  if (pairs.length === 0) return `- ${name}: not to be judged, all rounds were disturbed.`;
  const p99Ms = median(pairs.map(([own]) => own)) / NS_PER_MS;
  const times = median(pairs.map(([own, bares]) => own / bares));
  const verdict = (holds: boolean) => (holds ? 'holds' : 'MISSED');
  return [
    `- ${name}: p99 at ${JUDGED.rate.toLocaleString('en')} orders/s ${p99Ms.toFixed(2)} ms,`,
    `at most ${JUDGED.p99MsMax} ms: ${verdict(p99Ms <= JUDGED.p99MsMax)};`,
    `${times.toFixed(1)} times bare, at most ${JUDGED.timesBareMax}: ${verdict(times <= JUDGED.timesBareMax)}.`,
  ].join(' ');
}

function ms(ns: number): string {
  if (!Number.isFinite(ns)) return 'no answer';
  const value = ns / NS_PER_MS;
  return value.toFixed(value < 10 ? 3 : 0);
}
