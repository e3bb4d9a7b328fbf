import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Processing } from './verdict.js';

/** How a pool thread ends itself. */
export const DEATHS = ['exit', 'throw', 'memory'] as const;
export type Death = (typeof DEATHS)[number];

/** The pool thread that gets the order `sequence`, or a later one, dies. Once per run. */
export interface PlannedDeath {
  readonly sequence: number;
  readonly how: Death;
  /** Share of its batch that it writes to the ledger first, 0 to 1. */
  readonly done: number;
}

export interface LedgerPlan {
  /** How long a batch takes after it was written to the ledger. */
  readonly batchMs: number;
  /** How many of 1,000 orders fail their first attempt. */
  readonly retriedPermille: number;
  readonly deaths: readonly PlannedDeath[];
}

export const NO_PLAN: LedgerPlan = { batchMs: 0, retriedPermille: 0, deaths: [] };

const FOLDER_NAME = 'ledger';
const DIED = '.died';

/**
 * A handler that appends each finished order to a file of its thread before it returns, with one write per batch. kill -9
 * does not lose what the kernel has.
 */
export class Ledger {
  /** For `--handler`. */
  readonly handler: string;
  readonly #folder: string;

  constructor(folder: string, plan: LedgerPlan) {
    this.#folder = join(folder, FOLDER_NAME);
    mkdirSync(this.#folder);
    this.handler = join(folder, 'handler.mjs');
    writeFileSync(this.handler, handlerText(this.#folder, plan));
  }

  processings(): Processing[] {
    return readdirSync(this.#folder)
      .filter((name) => !name.endsWith(DIED))
      .flatMap((runner) => linesOf(join(this.#folder, runner), runner));
  }

  /** Threads that died as planned. */
  died(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith(DIED))
      .map((name) => readFileSync(join(this.#folder, name), 'utf8'));
  }
}

function linesOf(file: string, runner: string): Processing[] {
  const text = readFileSync(file, 'utf8');
  // A kill during a write leaves an incomplete line. That batch was not reported as done.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [sequence, id, product, count] = line.split(' ') as [string, string, string, string];
      return { sequence: Number(sequence), id, product, count, runner };
    });
}

function handlerText(folder: string, plan: LedgerPlan): string {
  return `import { openSync, writeFileSync, writeSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

const folder = ${JSON.stringify(folder)};
const plan = ${JSON.stringify(plan)};
const runner = process.pid + '-' + threadId;
const file = openSync(folder + '/' + runner, 'a');
const sequenceOf = ({ data }) => parseInt(data.username, 10);

function dueDeath(orders) {
  const last = Math.max(...orders.map(sequenceOf));
  for (const [i, death] of plan.deaths.entries()) {
    if (last < death.sequence) continue;
    try {
      writeFileSync(folder + '/' + i + '${DIED}', runner, { flag: 'wx' });
      return death;
    } catch {}
  }
}

async function die(how) {
  if (how === 'exit') process.exit(1);
  if (how === 'throw') setImmediate(() => { throw new Error('planned'); });
  const hoard = [];
  for (;;) {
    if (how === 'memory') hoard.push(new Array(1e5).fill(hoard.length + 0.5));
    else await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

export default async function handle(orders) {
  const death = dueDeath(orders);
  const failing = (order) => order.attempt === 1 && sequenceOf(order) % 1000 < plan.retriedPermille;
  const done = orders.filter((order) => !failing(order));
  const written = death === undefined ? done : done.slice(0, Math.floor(done.length * death.done));
  const lines = written.map(
    (order) => [sequenceOf(order), order.id, order.data.product_id, order.data.count].join(' ') + '\\n',
  );
  if (lines.length > 0) writeSync(file, lines.join(''));
  if (death !== undefined) await die(death.how);
  if (plan.batchMs > 0) await new Promise((resolve) => setTimeout(resolve, plan.batchMs));
  return orders.map((order) => (failing(order) ? 'retry' : 'done'));
}
`;
}
