import { ACCEPTED_IS_KEPT, type Fault } from './fault.js';
import { DEATHS, type PlannedDeath } from './ledger.js';
import type { Stage } from './stage.js';

const DEATHS_IN_RUN = 4;
/** Long enough that the last planned death has its order. */
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
    what: 'pool threads end by process.exit, an uncaught throw, or memory; local journal',
    isLongOnly: true,
    promises: ACCEPTED_IS_KEPT,
    run: (stage) => killThreads(stage, []),
  },
  {
    name: 'pool-thread-jetstream',
    what: 'pool threads end by process.exit, an uncaught throw, or memory; JetStream',
    promises: ACCEPTED_IS_KEPT,
    async run(stage) {
      const nats = await stage.nats();
      await killThreads(stage, ['--nats', nats.url]);
    },
  },
  {
    name: 'pool-thread-direct',
    what: 'pool threads end in direct mode: no 200 for an order that is not processed',
    promises: ACCEPTED_IS_KEPT,
    run: (stage) => killThreads(stage, ['--mode', 'direct', '--rps-limit', '0']),
  },
];
