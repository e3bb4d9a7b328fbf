/** Mutated requests against a server: an order must be processed exactly once if it is answered 200, and else not at all. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../../drills/ledger/random.js';
import { missingServerBinary } from '../../../src/intake/uws/platform.mjs';
import { printable } from '../../schema/fuzz.js';
import type { Owner } from '../../support/forebay.js';
import { mutant } from './mutants.js';
import { type Sending, Trial } from './trial.js';

export interface FuzzResult {
  /** How many connections got these statuses. */
  readonly tally: ReadonlyMap<string, number>;
}

/** Requests whose orders are compared at once. */
const ROUND = 1000;
/** Lines of the report for each engine. */
const SHOWN_MAX = 12;

/**
 * To uWebSockets.js each mutant is sent in one segment: it cannot take back an order whose client sends more while it is
 * stored.
 *
 * @throws Error with the seed and the mutant, if an order was lost, kept twice, or kept without its 200
 */
export async function fuzzFraming(
  owner: Owner,
  engine: string,
  requests: number,
  seed: number,
): Promise<FuzzResult> {
  const random = new Random(seed);
  const tally = new Map<string, number>();
  const trial = await Trial.start(owner, ['--http', engine]);
  for (let at = 0; at < requests; at += ROUND) {
    const texts = Array.from({ length: Math.min(ROUND, requests - at) }, (_, i) =>
      mutant(random, `m${at + i}.`),
    );
    const sendings = texts.map((text) => sendingOf(random, text, engine === 'node'));
    const { outcomes, lost, untold } = await trial.run(sendings);
    for (const fault of [...lost, ...untold.map((username) => `${username} is kept, not told`)]) {
      const number = Number(/(?:sending |m)(\d+)/.exec(fault)?.[1]) % ROUND;
      throw new Error(`${engine}, seed ${seed}: ${fault}\n  ${printable(texts[number] ?? '?')}`);
    }
    for (const { answers } of outcomes) {
      const statuses = answers.map(({ status }) => status).join(', ') || 'no answer';
      tally.set(statuses, (tally.get(statuses) ?? 0) + 1);
    }
  }
  await trial.stop();
  return { tally };
}

/** @param isCut whether some are sent in two segments, or followed by the end of the client's side */
function sendingOf(random: Random, text: string, isCut: boolean): Sending {
  const bytes = Buffer.from(text, 'latin1');
  const at = random.once(3) ? random.below(bytes.length + 1) : 0;
  const isHalfClosed = random.once(5);
  if (!isCut) return { pieces: [bytes], isHalfClosed: false };
  const pieces = at === 0 ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
  return { pieces, isHalfClosed };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '8000' },
      seed: { type: 'string', default: process.env.FOREBAY_SEED ?? String(Date.now() % 2 ** 32) },
    },
  });
  const seed = Number(values.seed);
  const ends: (() => Promise<void>)[] = [];
  try {
    for (const engine of (await missingServerBinary()) === null ? ['uws', 'node'] : ['node']) {
      console.log(`fuzz: ${values.requests} requests to ${engine}, seed ${seed}`);
      const owner = { after: (end: () => Promise<void>) => ends.push(end) };
      const { tally } = await fuzzFraming(owner, engine, Number(values.requests), seed);
      const most = [...tally].sort(([, a], [, b]) => b - a).slice(0, SHOWN_MAX);
      for (const [statuses, count] of most) {
        console.log(`${String(count).padStart(9)}  ${statuses}`);
      }
    }
    console.log('every order is kept exactly once if it was answered 200, and else not');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
  for (const end of ends) await end();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
