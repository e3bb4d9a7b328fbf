/**
 * Damages stored orders in ways of chance and starts on them: `npm run fuzz:orders -- --rounds 2000 --seed 1`. Each order
 * must be processed once with its own bytes, or be reported. A round takes 0.2 to 0.6 s on a machine with 2 cores.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../drills/ledger/random.js';
import {
  type Accepted,
  acceptOrders,
  copyWithoutLocks,
  type Damage,
  damageOrders,
  type Orders,
  type Processed,
  processAll,
} from './order-damage.js';

/** Rounds that use copies of one folder. */
const ROUNDS_PER_FOLDER = 25;

/** @throws Error says what is wrong, and with which seed */
export async function fuzzOrders(rounds: number, seed: number): Promise<{ damaged: number }> {
  let damaged = 0;
  for (let first = 0; first < rounds; first += ROUNDS_PER_FOLDER) {
    const accepted = await acceptOrders(new Random(seed + first));
    try {
      for (let i = first; i < Math.min(rounds, first + ROUNDS_PER_FOLDER); i++) {
        if (await round(accepted, seed + i)) damaged++;
      }
    } finally {
      rmSync(accepted.folder, { recursive: true });
    }
  }
  return { damaged };
}

/** @returns whether an order was not processed */
async function round(accepted: Accepted, seed: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-fuzz-'));
  let damage: Damage | null = null;
  try {
    copyWithoutLocks(accepted.folder, folder);
    damage = await damageOrders(folder, new Random(seed));
    return judge(accepted, damage, await processAll(folder));
  } catch (error) {
    throw new Error(`seed ${seed}, ${damage?.ways.join('; ')}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(accepted: Accepted, { touched }: Damage, found: Processed): boolean {
  const seen = new Set<string>();
  for (const [id, body] of found.delivered) {
    if (seen.has(id)) throw new Error(`${id} was processed twice`);
    seen.add(id);
    requireSame(accepted.waiting, id, body);
  }
  for (const [id, body] of found.dead) requireSame(accepted.dead, id, body);
  for (const [key, digest] of found.keys) requireSame(accepted.keys, key, digest);
  const lost = [
    ...missing(accepted.waiting, seen),
    ...missing(accepted.dead, found.dead),
    ...missing(accepted.keys, found.keys),
  ];
  const untouched = lost.find((id) => !touched.has(id));
  if (untouched !== undefined) throw new Error(`${untouched} is lost, and was not damaged`);
  if (lost.length > 0 && found.reports === 0) throw new Error(`${lost[0]} is lost in silence`);
  return lost.length > 0;
}

function requireSame(orders: Orders, id: string, body: string): void {
  const expected = orders.get(id);
  if (expected === undefined) throw new Error(`${id} was never accepted`);
  if (expected !== body) throw new Error(`${id} is ${body}, accepted as ${expected}`);
}

function missing(orders: Orders, seen: { has(id: string): boolean }): string[] {
  return [...orders.keys()].filter((id) => !seen.has(id));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '2000' }, seed: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const { damaged } = await fuzzOrders(Number(values.rounds), seed);
  console.log(`seed ${seed}: ${values.rounds} rounds, orders damaged in ${damaged}, none wrong`);
}
