/**
 * `npm run bench:batch`: orders per second in batches, durable in the local journal and in JetStream, as a multiple of the
 * orders per second that bare uWebSockets.js answers one by one and keeps nothing of. All take turns in one run.
 */
import { startForebay } from '../test/support/forebay.js';
import { NatsServer } from '../test/support/nats.js';
import { metric } from '../test/support/orders.js';
import { bare, REFERENCE } from './contestants/bare.js';
import { benchFlags } from './flags.js';
import { type Load, type LoadOptions, load, ORDER, wrkProgram } from './load.js';
import { rangeText, spread } from './spread.js';

const WARM_UP_S = 2;
/** CPU time of wrk, as a share of a core, from which it may be what is measured. */
const GENERATOR_BUSY = 0.95;

interface Batches {
  readonly wrk: string;
  readonly seconds: number;
  readonly connections: number;
  readonly batchConnections: number;
  readonly orders: number;
  readonly array: boolean;
}

interface Rate {
  readonly ordersPerSecond: number;
  readonly generatorRatio: number;
}

const NAMES = ['bare, one by one', 'batches, local journal', 'batches, JetStream'] as const;

async function main(): Promise<void> {
  const values = benchFlags({
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '256' },
    'batch-connections': { type: 'string', default: '64' },
    orders: { type: 'string', default: '100' },
    array: { type: 'boolean', default: false },
  });
  const options: Batches = {
    wrk: await wrkProgram(),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    batchConnections: Number(values['batch-connections']),
    orders: Number(values.orders),
    array: values.array,
  };
  const rounds: Rate[][] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const rates = [await oneByOne(options), await local(options), await jetStream(options)];
    rounds.push(rates);
    console.error(`round ${round}: ${rates.map(figures).join('; ')}`);
  }
  console.log('\n| orders/s | median | ÷ bare | range |\n| --- | --- | --- | --- |');
  for (const [i, name] of NAMES.entries()) {
    const rate = spread(rounds.map((rates) => rates[i]!.ordersPerSecond));
    const ratio = spread(
      rounds.map((rates) => rates[i]!.ordersPerSecond / rates[0]!.ordersPerSecond),
    );
    const cells = [name, Math.round(rate.median), ratio.median.toFixed(2), rangeText(ratio)];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

async function oneByOne({ wrk, seconds, connections }: Batches): Promise<Rate> {
  const server = await bare.find(({ name }) => name === REFERENCE)!.start();
  try {
    await load(server.url, { wrk, seconds: WARM_UP_S, connections });
    return rateOf(await measured(server.url, { wrk, seconds, connections }), 1);
  } finally {
    await server.stop();
  }
}

async function jetStream(options: Batches): Promise<Rate> {
  const nats = await NatsServer.start();
  try {
    return await local(options, ['--nats', nats.url]);
  } finally {
    await nats.stop();
  }
}

async function local(options: Batches, flags: readonly string[] = []): Promise<Rate> {
  const { wrk, seconds, batchConnections: connections, orders, array } = options;
  const forebay = await startForebay([...flags, '--drain', 'off', '--log-level', 'error']);
  const all = Array.from({ length: orders }, () => ORDER);
  const shape = {
    wrk,
    seconds,
    connections,
    path: '/orders/batch',
    mediaType: array ? 'application/json' : 'application/x-ndjson',
    bodies: [array ? `[${all.join()}]` : all.join('\n')],
  };
  try {
    const before = await load(forebay.url, { ...shape, seconds: WARM_UP_S });
    const result = await measured(forebay.url, shape);
    const kept = await metric(forebay, 'forebay_orders_accepted_total');
    const answered = (before.requests + result.requests) * orders;
    if (kept < answered) throw new Error(`${answered} orders were answered, ${kept} kept`);
    return rateOf(result, orders);
  } finally {
    await forebay.kill9();
  }
}

async function measured(url: string, options: LoadOptions): Promise<Load> {
  const result = await load(url, options);
  if (result.errors > 0) throw new Error(`${result.errors} responses were not 200`);
  return result;
}

function rateOf({ requestsPerSecond, generatorRatio }: Load, orders: number): Rate {
  return { ordersPerSecond: requestsPerSecond * orders, generatorRatio };
}

function figures({ ordersPerSecond, generatorRatio }: Rate, i: number): string {
  const busy = generatorRatio >= GENERATOR_BUSY ? ' (wrk is at its limit)' : '';
  return `${NAMES[i]} ${Math.round(ordersPerSecond)}/s, wrk ${generatorRatio.toFixed(2)} cores${busy}`;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
