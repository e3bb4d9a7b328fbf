/**
 * `npm run bench:rates`: latencies at fixed rates, from when a request was due (see generator/open-load.c), of bare
 * uWebSockets.js and of Forebay with each journal. The servers take turns; each round starts them afresh.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { benchFlags } from '../flags.js';
import { bare, type Driven, direct, jetStream, local } from './contestants.js';
import { reserveGeneratorCore } from './cores.js';
import { writeSection } from './docs-section.js';
import { type LoadPhase, openLoad, type SeenPhase } from './generator.js';
import { type Machine, machine } from './machine.js';
import { ratesText } from './rates-report.js';

/** Long enough for V8 to have compiled what is hot; then what it left behind is worked off. */
const BEFORE: readonly LoadPhase[] = [
  { rate: 20_000, seconds: 2 },
  { rate: 100, seconds: 0.5 },
];
/** Twice as long as the others where requests are few. */
const FEW = 500;

/** With `--share-cores` the generator sleeps until a request is due, on any core, and servers have them all. */
const ALL_CORES = { core: null, serverCores: 'all' };

export interface RatesRun {
  readonly machine: Machine;
  readonly serverCores: string;
  readonly connections: number;
  readonly seconds: number;
  readonly rates: readonly number[];
  readonly servers: readonly ServerRounds[];
}

export interface ServerRounds {
  readonly name: string;
  readonly flags: readonly string[];
  /** For each round, one for each rate. */
  readonly rounds: SeenPhase[][];
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
  const chosen = driven.filter(({ name }) => name.includes(values.only));
  const run: RatesRun = {
    machine: await machine(),
    serverCores,
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    rates: values.rates.split(',').map(Number),
    servers: chosen.map(({ name, flags }) => ({ name, flags, rounds: [] })),
  };
  if (values.continue && existsSync(values.json)) await takeUp(run, values.json);
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const [i, server] of run.servers.entries()) {
      server.rounds.push(await measure(chosen[i]!, run, core));
      console.error(`round ${round} of ${values.rounds}, ${server.name}`);
    }
    // After each round: what was measured is not lost when the next one fails.
    if (values.json !== '') await writeFile(values.json, `${JSON.stringify(run)}\n`);
  }
  const text = ratesText(run);
  console.log(text);
  if (values.write) await writeSection('rates', text);
}

/** Adds the rounds of an earlier run with the same settings, for where the machine is only to be had for a while. */
async function takeUp(run: RatesRun, file: string): Promise<void> {
  const earlier = JSON.parse(await readFile(file, 'utf8')) as RatesRun;
  const settings = ({ connections, seconds, rates, servers, serverCores }: RatesRun) =>
    JSON.stringify([
      connections,
      seconds,
      rates,
      serverCores,
      servers.map(({ name, flags }) => [name, flags]),
    ]);
  if (settings(run) !== settings(earlier))
    throw new Error(`${file} was measured with other settings`);
  for (const [i, { rounds }] of earlier.servers.entries()) run.servers[i]!.rounds.push(...rounds);
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
