/**
 * `npm run bench:idempotency`: how many orders a second Forebay takes when each comes with an idempotency
 * key of its own, as a share of what it takes without, in the same run. Both send a numbered
 * header, so that the load generator and the HTTP parser have the same to do; only in one case it is the key.
 * The two take turns, so that a slow spell of the machine meets both.
 */
import { startForebay } from '../test/support/forebay.js';
import { metric } from '../test/support/orders.js';
import { benchFlags } from './flags.js';
import { type Load, load, wrkProgram } from './load.js';
import { rangeText, spread } from './spread.js';

const RATIO_MIN = 0.7;
const WARM_UP_S = 3;

const cases = [
  { name: 'without', header: 'X-Request-Id---' },
  { name: 'with a key each', header: 'Idempotency-Key' },
] as const;
type Case = (typeof cases)[number];

interface Run {
  readonly wrk: string;
  readonly seconds: number;
  readonly connections: number;
}

async function main(): Promise<void> {
  const values = benchFlags({
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '256' },
  });
  const run = {
    wrk: await wrkProgram(),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
  };
  const ratios: number[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const [without, keyed] = [await drive(cases[0], run), await drive(cases[1], run)];
    ratios.push(keyed.requestsPerSecond / without.requestsPerSecond);
    console.error(`round ${round}: ${told(without)}; ${told(keyed)}; ${ratios.at(-1)!.toFixed(2)}`);
    if (without.errors + keyed.errors > 0) process.exitCode = 1;
  }
  const seen = spread(ratios);
  const verdict = seen.median >= RATIO_MIN ? 'at least' : 'MISSED';
  console.log(
    `orders/s with a key each, of without: ${seen.median.toFixed(2)} (${rangeText(seen)}), ${verdict} ${RATIO_MIN}`,
  );
}

async function drive({ name, header }: Case, { wrk, seconds, connections }: Run): Promise<Load> {
  const server = await startForebay(['--drain', 'off', '--log-level', 'warn']);
  try {
    const options = { wrk, connections, numberedHeader: header };
    await load(server.url, { ...options, seconds: WARM_UP_S });
    const result = await load(server.url, { ...options, seconds });
    // A benchmark of something else is worth nothing: every order must have had a key, or none.
    const [keys, orders] = [
      await metric(server, 'forebay_idempotency_keys'),
      await metric(server, 'forebay_orders_accepted_total'),
    ];
    if (orders === 0 || keys !== (name === 'without' ? 0 : orders)) {
      throw new Error(`${name}: ${orders} orders accepted, ${keys} keys remembered`);
    }
    return result;
  } finally {
    await server.kill9();
  }
}

function told({ requestsPerSecond, p50Ms, p99Ms, errors }: Load): string {
  return `${Math.round(requestsPerSecond)}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, errors ${errors}`;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
