import { readServer } from '../../k6/lib/metrics-text.js';
import { answers } from '../../src/model/answers.js';
import type { Contestant, RunningContestant } from '../contestants/contestant.js';
import { load } from '../load.js';
import { cpuSeconds, machineTicks, residentMaxMb } from '../process-figures.js';
import type { Body } from './bodies.js';
import type { Figures } from './report.js';

export interface Drive {
  readonly wrk: string;
  /** The core of wrk; undefined: any. */
  readonly core: number | undefined;
  readonly connections: number;
  readonly body: Body;
  readonly seconds: number;
  readonly warmUpS: number;
}

/** Starts a contestant, checks one response, loads it, and stops it. */
export async function drive(contestant: Contestant, how: Drive): Promise<Figures> {
  const server = await contestant.start();
  try {
    await checkAnswer(server.url, how.body.texts[0]!);
    return await measure(server, how);
  } finally {
    await server.stop();
  }
}

async function measure(server: RunningContestant, how: Drive): Promise<Figures> {
  const { wrk, core, connections, body } = how;
  const shape = { wrk, connections, bodies: body.texts, ...(core === undefined ? {} : { core }) };
  const warmUp = await load(server.url, { ...shape, seconds: how.warmUpS });
  const before = await used(server);
  const result = await load(server.url, { ...shape, seconds: how.seconds });
  const after = await used(server);
  const { requests, seconds, ...rates } = result;
  const usOf = (cpuS: number) => (cpuS * 1e6) / requests;
  const behindCpuUs: Record<string, number> = {};
  const behindMb: Record<string, number> = {};
  for (const [name, pid] of Object.entries(server.behind)) {
    behindCpuUs[name] = usOf(after.behindS[name]! - before.behindS[name]!);
    behindMb[name] = residentMaxMb(pid);
  }
  const httpS = after.httpS - before.httpS;
  const uncounted = Math.max(0, requests - (after.created - before.created));
  return {
    ...rates,
    errors: warmUp.errors + result.errors + (server.adminUrl === null ? 0 : uncounted),
    donePerSecond: (after.done - before.done) / seconds,
    httpCpuUs: usOf(httpS),
    behindCpuUs,
    httpCores: httpS / seconds,
    httpMb: residentMaxMb(server.pid),
    behindMb,
    readyMs: server.readyMs,
    stealRatio: (after.ticks.steal - before.ticks.steal) / (after.ticks.all - before.ticks.all),
  };
}

/** Counters of the server and the machine. */
async function used({ adminUrl, pid, behind }: RunningContestant) {
  const metrics = adminUrl === null ? '' : await (await fetch(`${adminUrl}/metrics`)).text();
  // Forebay's own count of 200s is compared with wrk's, which counts 2xx and 3xx.
  const { doneOrders: done, created } = readServer(metrics);
  const behindS: Record<string, number> = {};
  for (const [name, serverPid] of Object.entries(behind)) {
    behindS[name] = cpuSeconds(serverPid);
  }
  return { done, created, httpS: cpuSeconds(pid), behindS, ticks: machineTicks() };
}

/** @throws Error if the response is not a correct 200: a benchmark of wrong responses is worthless */
async function checkAnswer(url: string, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/orders`, { method: 'POST', headers, body });
  const text = await response.text();
  const { status, body: right } = answers.created;
  if (response.status !== status || text.trim() !== right) {
    throw new Error(`${url} responds ${response.status} ${text} to ${body}`);
  }
}
