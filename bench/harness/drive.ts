import { availableParallelism } from 'node:os';
import { readServer } from '../../k6/lib/metrics-text.js';
import { answers } from '../../src/model/answers.js';
import type { BatchForm, Contestant, RunningContestant } from '../contestants/contestant.js';
import { type LoadOptions, load } from '../load.js';
import { cpuSeconds, machineTicks, residentMaxMb } from '../process-figures.js';
import { type Body, batchText } from './bodies.js';
import type { Figures } from './report.js';

export interface Drive {
  readonly wrk: string;
  /** The core of wrk; undefined: any. */
  readonly core: number | undefined;
  readonly connections: number;
  readonly body: Body;
  /** Orders in a request; 1: orders are sent one by one. */
  readonly batch: number;
  readonly seconds: number;
  readonly warmUpS: number;
}

/** Starts a contestant, checks one response, loads it, and stops it. */
export async function drive(contestant: Contestant, how: Drive): Promise<Figures> {
  const request = requestOf(contestant, how);
  const server = await contestant.start();
  try {
    await checkAnswer(server.url, request);
    return await measure(server, how, request);
  } finally {
    await server.stop();
  }
}

type Request = Pick<LoadOptions, 'path' | 'mediaType'> & { readonly bodies: readonly string[] };

const JSON_TYPE = 'application/json';
const MEDIA_TYPES: Readonly<Record<BatchForm, string>> = {
  lines: 'application/x-ndjson',
  array: JSON_TYPE,
};

function requestOf({ name, batches }: Contestant, { body, batch }: Drive): Request {
  if (batch === 1) return { bodies: body.texts };
  if (batches === undefined) throw new Error(`${name} takes no batches`);
  const bodies = [batchText(body, batch, batches)];
  return { path: '/orders/batch', mediaType: MEDIA_TYPES[batches], bodies };
}

async function measure(server: RunningContestant, how: Drive, request: Request): Promise<Figures> {
  const { wrk, core, connections, batch } = how;
  const shape = { wrk, connections, ...request, ...(core === undefined ? {} : { core }) };
  const warmUp = await load(server.url, { ...shape, seconds: how.warmUpS });
  const before = await used(server);
  const result = await load(server.url, { ...shape, seconds: how.seconds });
  const after = await used(server);
  const { requests, requestsPerSecond, seconds, ...others } = result;
  const usOf = (cpuS: number) => (cpuS * 1e6) / (requests * batch);
  const behindCpuUs: Record<string, number> = {};
  const behindMb: Record<string, number> = {};
  for (const [name, pid] of Object.entries(server.behind)) {
    behindCpuUs[name] = usOf(after.behindS[name]! - before.behindS[name]!);
    behindMb[name] = residentMaxMb(pid);
  }
  const httpS = after.httpS - before.httpS;
  const behindS = Object.keys(server.behind).map(
    (name) => after.behindS[name]! - before.behindS[name]!,
  );
  const ownS = behindS.reduce((sum, one) => sum + one, httpS);
  const allTicks = after.ticks.all - before.ticks.all;
  const busyRatio = (after.ticks.busy - before.ticks.busy) / allTicks;
  const uncounted = Math.max(0, requests - (after.created - before.created));
  return {
    ...others,
    ordersPerSecond: requestsPerSecond * batch,
    errors: warmUp.errors + result.errors + (server.adminUrl === null ? 0 : uncounted),
    donePerSecond: (after.done - before.done) / seconds,
    httpCpuUs: usOf(httpS),
    behindCpuUs,
    httpCores: httpS / seconds,
    httpMb: residentMaxMb(server.pid),
    behindMb,
    readyMs: server.readyMs,
    stealRatio: (after.ticks.steal - before.ticks.steal) / allTicks,
    othersRatio:
      busyRatio - (ownS + result.generatorRatio * seconds) / (seconds * availableParallelism()),
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
async function checkAnswer(url: string, request: Request): Promise<void> {
  const { path = '/orders', mediaType = JSON_TYPE, bodies } = request;
  const [body] = bodies as [string];
  const headers = { 'content-type': mediaType };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body });
  const text = await response.text();
  const { status, body: right } = answers.created;
  // The answer to a batch may say more.
  const isRight = path === '/orders' ? text.trim() === right : text.startsWith(right.slice(0, -1));
  if (response.status !== status || !isRight) {
    throw new Error(`${url}${path} responds ${response.status} ${text} to ${body}`);
  }
}
