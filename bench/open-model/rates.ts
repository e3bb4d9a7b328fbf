/**
 * `npm run bench:rates`: latency at fixed rates, counted from when a request was due (see generator/open-load.c). Bare
 * uWebSockets.js and Forebay with each journal take turns; each round starts new processes.
 */
import { leaveNothingBehind } from '../../drills/processes.js';
import { writeSection } from '../doc-section.js';
import { benchFlags } from '../flags.js';
import { type LoadPhase, openLoad, type SeenPhase } from './generator.js';
import { machine, reserveGeneratorCore } from './machine.js';
import { ALL_CORES, type RatesRun, ratesText } from './rates-report.js';
import { noRounds, takeRounds } from './rounds.js';
import { bare, direct, jetStream, local, type Server } from './servers.js';

/** Warm-up: long enough for V8 to compile the hot path, then a pause to finish what is queued. */
const WARM_UP: readonly LoadPhase[] = [
  { rate: 20_000, seconds: 4 },
  { rate: 100, seconds: 0.5 },
];
/** Rates up to this one are measured for twice the time, because they have few requests. */
const FEW = 500;

const servers: readonly Server[] = [
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
    // The generator then sleeps until a request is due instead of spinning on its own core.
    'share-cores': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  });
  const { core, serverCores } = values['share-cores']
    ? { core: null, serverCores: ALL_CORES }
    : reserveGeneratorCore();
  const run: RatesRun = {
    machine: await machine(),
    serverCores,
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    rates: values.rates.split(',').map(Number),
    servers: noRounds(servers),
  };
  await takeRounds(run, servers, values, (server) => measure(server, run, core));
  const text = ratesText(run);
  console.log(text);
  if (values.write) await writeSection('docs/reference/latency.md', 'rates', text);
}

async function measure(server: Server, run: RatesRun, core: number | null): Promise<SeenPhase[]> {
  const { connections, rates, seconds } = run;
  const phases = rates.map((rate) => ({ rate, seconds: rate <= FEW ? 2 * seconds : seconds }));
  const running = await server.start();
  try {
    const bounds = { connections, timeoutMs: 5000, waitMs: 5000, windowMs: 0, core };
    const seen = await openLoad(running.url, { ...bounds, phases: [...WARM_UP, ...phases] });
    return seen.slice(WARM_UP.length);
  } finally {
    await running.stop();
  }
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
