/**
 * `npm run bench:durability`: what safety costs in throughput. `sync_interval: always` against NATS' default, and an
 * outage of NATS, with the spool taking the orders, against the seconds before it; each pair in turn, in one run.
 */
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { NatsServer } from '../test/support/nats.js';
import { benchFlags } from './flags.js';
import { type Load, type LoadOptions, load, wrkProgram } from './load.js';
import { rangeText, spread } from './spread.js';

const WARM_UP_S = 2;
const SYNC_RATIO_MIN = 0.85;
const OUTAGE_RATIO_MIN = 0.8;

interface Pair {
  readonly name: string;
  readonly ratioMin: number;
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
  const sync: Pair = { name: 'sync always ÷ default', ratioMin: SYNC_RATIO_MIN, ratios: [] };
  const outage: Pair = { name: 'outage ÷ before', ratioMin: OUTAGE_RATIO_MIN, ratios: [] };
  for (let round = 0; round < Number(values.rounds); round++) {
    sync.ratios.push(await syncRound(options));
    outage.ratios.push(await outageRound(options));
    console.error(`round ${round + 1}: ${[sync, outage].map(shown).join(', ')}`);
  }
  console.log('\n| what | median | spread | meant |\n|---|---|---|---|');
  for (const pair of [sync, outage]) console.log(row(pair));
}

async function syncRound(options: LoadOptions): Promise<number> {
  const usual = await withShop({}, (forebay) => driven(forebay, options));
  const always = await withShop({ syncInterval: 'always' }, (forebay) => driven(forebay, options));
  return always.requestsPerSecond / usual.requestsPerSecond;
}

async function outageRound(options: LoadOptions): Promise<number> {
  return withShop({}, async (forebay, nats) => {
    const before = await driven(forebay, options);
    await nats.kill();
    const during = await driven(forebay, options);
    return during.requestsPerSecond / before.requestsPerSecond;
  });
}

async function withShop<T>(
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

async function driven(forebay: ForebayProcess, options: LoadOptions): Promise<Load> {
  await load(forebay.url, { ...options, seconds: WARM_UP_S });
  const result = await load(forebay.url, options);
  if (result.errors > 0) throw new Error(`${result.errors} requests were not answered 200`);
  return result;
}

function shown({ name, ratios }: Pair): string {
  return `${name} ${ratios.at(-1)!.toFixed(2)}`;
}

function row({ name, ratioMin, ratios }: Pair): string {
  const seen = spread(ratios);
  const verdict = `${seen.median >= ratioMin ? 'at least' : 'MISSED'} ${ratioMin}`;
  return `| ${name} | ${seen.median.toFixed(2)} | ${rangeText(seen)} | ${verdict} |`;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
