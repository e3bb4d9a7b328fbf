/**
 * `npm run bench:rates`: latencies at fixed rates, from when a request was due (see generator/open-load.c), of bare
 * uWebSockets.js and of Forebay with each journal. The servers take turns; each round starts them afresh.
 */
import { leaveNothingBehind } from '../../drills/story/processes.js';
import { benchFlags } from '../flags.js';
import { bare, type Driven, direct, jetStream, local } from './contestants.js';
import { reserveGeneratorCore } from './cores.js';
import { writeSection } from './docs-section.js';
import { type LoadPhase, openLoad, type SeenPhase } from './generator.js';
import { machine } from './machine.js';
import { ratesText } from './rates-report.js';
import { noRounds, type Run, takeRounds } from './rounds.js';

/** Long enough for V8 to have compiled what is hot; then what it left behind is worked off. */
const BEFORE: readonly LoadPhase[] = [
  { rate: 20_000, seconds: 4 },
  { rate: 100, seconds: 0.5 },
];
/** Twice as long as the others where requests are few. */
const FEW = 500;

/** With `--share-cores` the generator sleeps until a request is due, on any core, and servers have them all. */
const ALL_CORES = { core: null, serverCores: 'all' };

/** Each round has a phase for each rate. */
export interface RatesRun extends Run<SeenPhase[]> {
  readonly serverCores: string;
  readonly connections: number;
  readonly seconds: number;
  readonly rates: readonly number[];
}

const driven: readonly Driven[] = [
  bare(),
  direct(),
  local(),
  jetStream({}, ['--drain', 'off']),
  jetStream({}),
  jetStream({ syncInterval: 'always' }),
];

async function main(): Promise<void> {
  leaveNothingBehind();
  const values = benchFlags({
    rates: { type: 'string', default: '100,1000,10000,40000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '256' },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: '' },
    continue: { type: 'boolean', default: false },
    'share-cores': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  });
  const { core, serverCores } = values['share-cores'] ? ALL_CORES : reserveGeneratorCore();
  const run: RatesRun = {
    machine: await machine(),
    serverCores,
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    rates: values.rates.split(',').map(Number),
    servers: noRounds(driven),
  };
  await takeRounds(run, driven, values, (server) => measure(server, run, core));
  const text = ratesText(run);
  console.log(text);
  if (values.write) await writeSection('rates', text);
}

async function measure(driven: Driven, run: RatesRun, core: number | null): Promise<SeenPhase[]> {
  const { connections, rates, seconds } = run;
  const phases = rates.map((rate) => ({ rate, seconds: rate <= FEW ? 2 * seconds : seconds }));
  const server = await driven.start();
  try {
    const bounds = { connections, timeoutMs: 5000, waitMs: 5000, windowMs: 0, core };
    const seen = await openLoad(server.url, { ...bounds, phases: [...BEFORE, ...phases] });
    return seen.slice(BEFORE.length);
  } finally {
    await server.stop();
  }
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
