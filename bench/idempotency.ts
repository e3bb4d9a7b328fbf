/**
 * `npm run bench:idempotency`: orders per second if each has its own idempotency key, as a share of orders per second without keys.
 * Both send a numbered header, so that wrk and the HTTP parser do the same work; in one case that header is the key. The two
 * take turns.
 */
import { startForebay } from '../test/support/forebay.js';
import { metric } from '../test/support/orders.js';
import { benchFlags } from './flags.js';
import { type Load, load, wrkProgram } from './load.js';
import { rangeText, spread } from './spread.js';

const WARM_UP_S = 3;

const cases = [
  { name: 'without', header: 'X-Request-Id---' },
  { name: 'with keys', header: 'Idempotency-Key' },
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
    console.error(
      `round ${round}: ${figures(without)}; ${figures(keyed)}; ${ratios.at(-1)!.toFixed(2)}`,
    );
    if (without.errors + keyed.errors > 0) process.exitCode = 1;
  }
  const seen = spread(ratios);
  console.log(`orders/s with keys ÷ without: ${seen.median.toFixed(2)} (${rangeText(seen)})`);
}

async function drive({ name, header }: Case, { wrk, seconds, connections }: Run): Promise<Load> {
  const server = await startForebay(['--drain', 'off', '--log-level', 'warn']);
  try {
    const options = { wrk, connections, numberedHeader: header };
    await load(server.url, { ...options, seconds: WARM_UP_S });
    const result = await load(server.url, { ...options, seconds });
    // Makes sure that every order had a key, or none had.
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

function figures({ requestsPerSecond, p50Ms, p99Ms, errors }: Load): string {
  return `${Math.round(requestsPerSecond)}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, errors ${errors}`;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
