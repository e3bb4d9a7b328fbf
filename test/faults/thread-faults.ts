import { DEATHS, type PlannedDeath } from '../../drills/ledger/ledger.js';
import { type Fault, NONE_LOST } from './fault.js';
import type { Stage } from './stage.js';

const DEATHS_IN_RUN = 4;
/** Long enough for the last planned death. */
const LAST_SHARE = 0.8;

function plannedDeaths(stage: Stage, rate: number): PlannedDeath[] {
  const orders = Math.floor((rate * stage.durationMs * LAST_SHARE) / 1000);
  return Array.from({ length: DEATHS_IN_RUN }, () => ({
    sequence: stage.random.below(orders),
    how: stage.random.pick(DEATHS),
    done: stage.random.pick([0, 0.5, 1]),
  }));
}

async function killThreads(stage: Stage, flags: readonly string[]): Promise<void> {
  const handler = stage.plainHandler({ deaths: plannedDeaths(stage, stage.rate) });
  await stage.shop(['--handler', handler, '--worker-heap-mb', '32', ...flags]);
  stage.load();
  await stage.pass(stage.durationMs);
  await stage.finish();
  const deaths = stage.plannedDeaths();
  if (deaths < DEATHS_IN_RUN) stage.problems.push(`only ${deaths} pool threads died`);
}

export const threadFaults: readonly Fault[] = [
  {
    name: 'pool-thread-local',
    what: 'pool threads die by process.exit, an uncaught exception, or memory; local journal',
    isLongOnly: true,
    guarantees: NONE_LOST,
    run: (stage) => killThreads(stage, []),
  },
  {
    name: 'pool-thread-jetstream',
    what: 'pool threads die by process.exit, an uncaught exception, or memory; JetStream',
    guarantees: NONE_LOST,
    async run(stage) {
      const nats = await stage.nats();
      await killThreads(stage, ['--nats', nats.url]);
    },
  },
  {
    name: 'pool-thread-direct',
    what: 'pool threads die in direct mode: no 200 for an order that is not processed',
    guarantees: NONE_LOST,
    run: (stage) => killThreads(stage, ['--mode', 'direct', '--rps-limit', '0']),
  },
];
