/**
 * `npm run bench:durability`: what durability costs in throughput. `sync_interval: always` compared with NATS' default, and an outage
 * of NATS, when orders go to the spool, compared with the seconds before it. The pairs take turns in one run.
 */
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { NatsServer } from '../test/support/nats.js';
import { benchFlags } from './flags.js';
import { type Load, type LoadOptions, load, wrkProgram } from './load.js';
import { rangeText, spread } from './spread.js';

const WARM_UP_S = 2;

interface Pair {
  readonly name: string;
  readonly ratios: number[];
}

async function main(): Promise<void> {
  const values = benchFlags({
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '256' },
  });
  const options: LoadOptions = {
    wrk: await wrkProgram(),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
  };
  const sync: Pair = { name: 'sync always ÷ default', ratios: [] };
  const outage: Pair = { name: 'outage ÷ before', ratios: [] };
  for (let round = 0; round < Number(values.rounds); round++) {
    sync.ratios.push(await syncRound(options));
    outage.ratios.push(await outageRound(options));
    console.error(`round ${round + 1}: ${[sync, outage].map(latest).join(', ')}`);
  }
  console.log('\n| ratio of orders/s | median | range |\n| --- | --- | --- |');
  for (const pair of [sync, outage]) console.log(row(pair));
}

async function syncRound(options: LoadOptions): Promise<number> {
  const usual = await withForebay({}, (forebay) => measure(forebay, options));
  const always = await withForebay({ syncInterval: 'always' }, (forebay) =>
    measure(forebay, options),
  );
  return always.requestsPerSecond / usual.requestsPerSecond;
}

async function outageRound(options: LoadOptions): Promise<number> {
  return withForebay({}, async (forebay, nats) => {
    const before = await measure(forebay, options);
    await nats.kill();
    const during = await measure(forebay, options);
    return during.requestsPerSecond / before.requestsPerSecond;
  });
}

async function withForebay<T>(
  nats: { readonly syncInterval?: 'always' },
  run: (forebay: ForebayProcess, server: NatsServer) => Promise<T>,
): Promise<T> {
  const server = await NatsServer.start(nats);
  try {
    const flags = ['--nats', server.url, '--drain', 'off', '--log-level', 'error'];
    const forebay = await startForebay(flags);
    try {
      return await run(forebay, server);
    } finally {
      await forebay.kill9();
    }
  } finally {
    await server.stop();
  }
}

async function measure(forebay: ForebayProcess, options: LoadOptions): Promise<Load> {
  await load(forebay.url, { ...options, seconds: WARM_UP_S });
  const result = await load(forebay.url, options);
  if (result.errors > 0) throw new Error(`${result.errors} responses were not 200`);
  return result;
}

function latest({ name, ratios }: Pair): string {
  return `${name} ${ratios.at(-1)!.toFixed(2)}`;
}

function row({ name, ratios }: Pair): string {
  const seen = spread(ratios);
  return `| ${name} | ${seen.median.toFixed(2)} | ${rangeText(seen)} |`;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
