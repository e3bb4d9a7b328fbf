/** Orders whose handler kills the whole process, and a supervisor that starts it again each time. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { type LedgerHandler, type LedgerLine, ledgerHandler } from './handlers.js';

const ORDERS = 200;
const STARTS_MAX = 60;

export const SIGKILL = `process.kill(process.pid, 'SIGKILL')`;

/** What a crash of native code does; process.abort itself is refused in a thread. */
export const ABORT = `process.kill(process.pid, 'SIGABRT')`;

export interface Scene {
  /** Places of the killers among the orders. */
  readonly killers: readonly number[];
  readonly attemptsMax: number;
  /** What a killer does. */
  readonly kill: string;
}

export function usernamesOf({ killers }: Scene): string[] {
  return Array.from({ length: ORDERS }, (_, i) =>
    killers.includes(i) ? `killer-${i}` : `good-${i}`,
  );
}

export async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-killers-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A signal ends the process a moment later. Until then the call must not return, or its orders would be done. */
export function killerHandler(t: TestContext, { kill }: Scene): Promise<LedgerHandler> {
  return ledgerHandler(
    t,
    `if (orders.some(({ data }) => data.username.startsWith('killer'))) {
       await new Promise((resolve) => setTimeout(resolve, 5));
       ${kill};
       await new Promise(() => {});
     }`,
  );
}

/** Accepts the orders without processing them. */
export async function accept(scene: Scene, data: string, flags: readonly string[]): Promise<void> {
  const intake = await startForebay(['--drain', 'off', ...flags], { data });
  const client = new OrderClient(intake.url);
  const answers = await client.postAll(usernamesOf(scene));
  client.close();
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(await intake.stop(), 0);
}

export interface Supervised {
  readonly scene: Scene;
  readonly handler: LedgerHandler;
  /** The data folder; a function makes another one for each start. */
  readonly data: string | (() => Promise<string>);
  /** Which journal it is, if not the local one. */
  readonly place?: readonly string[];
}

/** Starts a server again each time it dies, until every order is processed or dead. @returns the last one */
export async function supervise(t: TestContext, what: Supervised): Promise<ForebayProcess> {
  const { scene, handler, data, place = [] } = what;
  const flags = [
    ...['--handler', handler.file, '--attempts-max', String(scene.attemptsMax)],
    ...['--retry-ms-min', '20', '--retry-ms-max', '100', '--workers', '2', ...place],
  ];
  for (let starts = 1; starts <= STARTS_MAX; starts++) {
    const folder = typeof data === 'string' ? data : await data();
    const forebay = await startForebay(flags, { owner: t, data: folder }).catch(() => null);
    if (forebay === null) continue;
    const died = forebay.exited.then(() => false);
    // Without a catch, the requests to a process that has died would count as a failure of the test.
    const finished = isFinished(forebay, what).catch(() => died);
    if (await Promise.race([died, finished])) return forebay;
  }
  throw new Error(`still dying after ${STARTS_MAX} starts`);
}

/** Not only what is pending: right after a start, that is not counted yet. */
async function isFinished(forebay: ForebayProcess, { scene, handler }: Supervised): Promise<true> {
  await eventually('all killers are dead letters, and nothing is pending', async () => {
    if ((await metric(forebay, 'forebay_dead_letters')) < scene.killers.length) return false;
    if ((await metric(forebay, 'forebay_journal_pending_orders')) > 0) return false;
    const processed = new Set((await handler.lines()).map(({ username }) => username));
    return usernamesOf(scene).every((name) => processed.has(name));
  });
  return true;
}

export interface Letter {
  readonly id: string;
  readonly body: string;
  readonly reason: string;
  readonly attempts: number;
}

export async function deadLetters(flags: readonly string[]): Promise<Letter[]> {
  const { stdout } = await runForebay(['dlq', 'list', '--json', ...flags]);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Letter);
}

/** Every good order was processed once, or once more if it was beside a killer; every killer started so often. */
export function judge(
  scene: Scene,
  lines: readonly LedgerLine[],
  letters: readonly Letter[],
): void {
  const runs = new Map<string, number>(usernamesOf(scene).map((name) => [name, 0]));
  for (const { username } of lines) runs.set(username, runs.get(username)! + 1);
  const wrong = [...runs].filter(([name, count]) => {
    const isKiller = name.startsWith('killer');
    // A killer is not known to be one before it has died alone.
    return count < 1 || count > (isKiller ? Math.max(2, scene.attemptsMax) : 2);
  });
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    letters.map(({ body }) => (JSON.parse(body) as { username: string }).username).sort(),
    [...runs.keys()].filter((name) => name.startsWith('killer')).sort(),
  );
  for (const { reason, attempts } of letters) {
    const starts = Number(
      /^the process died while its handler ran \((\d+) starts?\)$/.exec(reason)?.[1],
    );
    assert.ok(starts >= 1 && starts <= Math.max(2, scene.attemptsMax), reason);
    assert.equal(attempts, starts);
  }
}
