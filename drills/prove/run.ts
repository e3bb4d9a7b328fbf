import { once } from 'node:events';
import { createServer } from 'node:net';
import { release, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VERSION } from '../../src/version.js';
import { Ledger, NO_PLAN } from '../ledger/ledger.js';
import { Load } from '../ledger/load.js';
import { faultOrder } from '../ledger/orders.js';
import { BROKEN, type SentOrders, UNSENT } from '../ledger/sent-orders.js';
import { brokenGuarantees, judge, type Verdict } from '../ledger/verdict.js';
import type { Workspace } from '../processes.js';
import { ServerProcess } from '../server-process.js';
import { readingOf } from '../wave/server-watch.js';
import { type Check, diskChecks, measureDisk } from './disk.js';
import type { ProveOptions } from './options.js';
import type { ProveRecord, Round } from './record.js';
import { writeServerOptions } from './server-options.js';

const CONNECTIONS = 64;
/** Of a batch, so that there are orders in the handler at each kill. */
const BATCH_MS = 20;
const POLL_MS = 250;
/** How long a start may take, in the memory that the load reserves. */
const STARTS_S_MAX = 60;
const SEEDS = 2 ** 31;
/** After the load: without an order processed for so long, what is missing counts as lost. JetStream delivers again after 30 s. */
const STUCK_MS = 60_000;

interface Kill {
  readonly pid: number;
  readonly killedAfterMs: number;
  readonly readyAfterMs: number;
  /** When its round ended, from the start of the load. */
  readonly endMs: number;
}

/** What the load met. */
interface Outcome {
  readonly kills: readonly Kill[];
  readonly sent: SentOrders;
  /** Why the last server did not end in order; empty if it did. */
  readonly stopFault: string;
}

interface Trial {
  readonly options: ProveOptions;
  readonly seed: number;
  readonly ledger: Ledger;
  readonly start: () => Promise<ServerProcess>;
  readonly tell: (line: string) => void;
}

/** @throws OperatorFault the server could not be started, or ended by itself */
export async function runProof(
  options: ProveOptions,
  stream: string,
  workspace: Workspace,
  tell: (line: string) => void,
): Promise<ProveRecord> {
  const { folder } = workspace;
  const disk = measureDisk(folder);
  const flushMs = disk.flushMs.p50.toFixed(3);
  tell(`disk: ${disk.fileSystem} on ${disk.device}, a flush takes ${flushMs} ms`);
  const ledger = new Ledger(folder, { ...NO_PLAN, batchMs: BATCH_MS });
  const own = { stream, handler: ledger.handler };
  const { flags, taken } = writeServerOptions(folder, options, own);
  const port = await freePort();
  const start = () => ServerProcess.start(workspace, flags, join(folder, 'data'), port);
  const seed = Math.floor(Math.random() * SEEDS);
  const first = await start();
  const durability = await durabilityOf(first);
  const { kills, sent, stopFault } = await killUnderLoad(first, {
    options,
    seed,
    ledger,
    start,
    tell,
  });
  const verdict = judge({
    sent,
    processings: ledger.processings(),
    wasKilled: (runner) => kills.some(({ pid }) => runner.startsWith(`${pid}-`)),
    contentOf: (sequence) => faultOrder(seed, sequence),
  });
  const ofOrders = orderChecks(verdict, kills.length, stopFault);
  const checks = [...ofOrders, ...diskChecks(disk, process.env)];
  const isLocal = options.server.nats.length === 0;
  return {
    forebay: VERSION,
    takenAt: new Date().toISOString(),
    node: process.version,
    system: `${type()} ${release()}`,
    options: taken,
    journal: isLocal ? 'local' : 'jetstream',
    durability,
    dataFolder: options.server.data,
    stream: isLocal ? '' : stream,
    rate: options.rate,
    seed,
    rounds: roundsOf(kills, sent, options.rate),
    verdict,
    disk,
    checks,
    ok: checks.every(({ ok }) => ok),
  };
}

/** Kills the server in each round, and starts it again, while the load goes on. */
async function killUnderLoad(
  first: ServerProcess,
  { options, seed, ledger, start, tell }: Trial,
): Promise<Outcome> {
  const { rate, rounds, roundS } = options;
  const ordersMax = Math.ceil(rate * (1.5 * rounds * roundS + STARTS_S_MAX * (rounds + 1)));
  const urls = [first.url];
  const load = new Load({ urls, seed, rate, connections: CONNECTIONS, ordersMax, isKeyed: false });
  const beganMs = performance.now();
  const kills: Kill[] = [];
  let server = first;
  try {
    for (let round = 1; round <= rounds; round++) {
      const killedAfterMs = Math.round(roundS * 1000 * (0.5 + Math.random()));
      await Promise.race([sleep(killedAfterMs), server.died]);
      const { pid } = server;
      await server.kill();
      const startedMs = performance.now();
      server = await start();
      const nowMs = performance.now();
      const readyAfterMs = Math.round(nowMs - startedMs);
      kills.push({ pid, killedAfterMs, readyAfterMs, endMs: nowMs - beganMs });
      const times = `killed after ${killedAfterMs} ms, ready after ${readyAfterMs} ms`;
      tell(`round ${round} of ${rounds}: ${times}`);
    }
    await Promise.race([sleep(roundS * 500), server.died]);
    tell('the load ends; waiting until every accepted order is processed');
    const sent = await load.end();
    await Promise.race([allProcessed(sent, ledger), server.died]);
    const stopFault = await server.stop().then(
      () => '',
      (error: Error) => error.message,
    );
    return { kills, sent, stopFault };
  } finally {
    await load.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** What the server says in its metrics. */
async function durabilityOf({ adminUrl }: ServerProcess): Promise<string> {
  const metrics = await (await fetch(new URL('/metrics', adminUrl))).text();
  return readingOf(metrics).durability;
}

async function allProcessed({ statuses }: SentOrders, ledger: Ledger): Promise<void> {
  let seen = -1;
  let movedMs = performance.now();
  while (performance.now() - movedMs < STUCK_MS) {
    const done = new Set(ledger.processings().map(({ sequence }) => sequence));
    if (statuses.every((status, sequence) => status !== 200 || done.has(sequence))) return;
    if (done.size !== seen) movedMs = performance.now();
    seen = done.size;
    await sleep(POLL_MS);
  }
}

/** What must hold of the orders. */
export function orderChecks(verdict: Verdict, kills: number, stopFault: string): Check[] {
  const { accepted, lost, doubled, repeated, altered, alien, refusedButProcessed } = verdict;
  const none = (count: number, what: string): Check => ({
    ok: count === 0,
    text: `${what}: ${count}`,
  });
  return [
    {
      ok: accepted > 0,
      text: `orders answered 200, with ${kills} kills between them: ${accepted}`,
    },
    none(lost, 'lost: answered 200, and not processed'),
    none(doubled, 'doubled: processed more than once by processes that were not killed'),
    none(altered, 'altered: processed with other content, or under another id'),
    none(alien, 'processed, and never sent'),
    none(refusedButProcessed, 'refused, and processed all the same'),
    { ok: true, text: `in the handler at a kill, and so processed again: ${repeated}` },
    { ok: stopFault === '', text: stopFault || 'the last server ended in order' },
    {
      ok: brokenGuarantees(verdict, { isLossAllowed: false, isOnly200: false }).length === 0,
      text: 'every order has the outcome that its client was told',
    },
  ];
}

function roundsOf(kills: readonly Kill[], { statuses }: SentOrders, rate: number): Round[] {
  const placeAt = (ms: number) => Math.min(statuses.length, Math.floor((ms * rate) / 1000));
  return kills.map(({ killedAfterMs, readyAfterMs, endMs }, i) => {
    const due = statuses.subarray(placeAt(kills[i - 1]?.endMs ?? 0), placeAt(endMs));
    const count = (holds: (status: number) => boolean) => due.filter(holds).length;
    return {
      killedAfterMs,
      readyAfterMs,
      accepted: count((status) => status === 200),
      unanswered: count((status) => status === BROKEN),
      unsent: count((status) => status === UNSENT),
      otherAnswers: count((status) => ![200, BROKEN, UNSENT].includes(status)),
    };
  });
}
