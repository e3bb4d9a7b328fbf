import { type Fault, NONE_LOST, ONLY_200 } from './fault.js';
import type { Shop } from './shop.js';
import type { Stage } from './stage.js';

/** How long a killed server stays down. */
const DOWN_MS_MIN = 1000;
const DOWN_MS_MAX = 3000;

/**
 * Options with which orders are everywhere when Forebay is killed: half of the seeds drain more slowly than orders
 * arrive, so that there is a backlog, and batches take some time, so that some are in progress.
 */
function busyFlags(stage: Stage): string[] {
  const handler = stage.plainHandler({ batchMs: stage.random.below(20) });
  const pace = stage.random.pick([[], ['--drain-rate', '1500']]);
  return ['--handler', handler, ...pace];
}

async function killAndStart(stage: Stage, shop: Shop): Promise<void> {
  await stage.pass(stage.share(0.2, 0.5));
  await shop.kill9();
  await stage.pass(stage.random.below(500));
  await shop.start();
  await stage.pass(stage.share(0.2, 0.4));
}

export const killFaults: readonly Fault[] = [
  {
    name: 'forebay-kill-local',
    what: 'kill -9 and restart of Forebay; local journal',
    guarantees: NONE_LOST,
    async run(stage) {
      const shop = await stage.shop(busyFlags(stage));
      stage.load();
      await killAndStart(stage, shop);
      await stage.finish();
    },
  },
  {
    name: 'forebay-kill-jetstream',
    what: 'kill -9 and restart of Forebay; JetStream',
    isLongOnly: true,
    guarantees: NONE_LOST,
    async run(stage) {
      const nats = await stage.nats();
      const shop = await stage.shop([...busyFlags(stage), '--nats', nats.url]);
      stage.load();
      await killAndStart(stage, shop);
      await stage.finish();
    },
  },
  {
    name: 'nats-kill',
    what: 'kill -9 of nats-server, restart after 1 to 3 s',
    guarantees: ONLY_200,
    async run(stage) {
      const nats = await stage.nats();
      await stage.shop([...busyFlags(stage), '--nats', nats.url]);
      stage.load();
      await stage.pass(stage.share(0.2, 0.4));
      await nats.kill9();
      await stage.pass(stage.between(DOWN_MS_MIN, DOWN_MS_MAX));
      await nats.start();
      await stage.pass(stage.share(0.3, 0.5));
      await stage.finish();
    },
  },
  {
    name: 'forebay-and-nats-kill',
    what: 'kill -9 of Forebay and nats-server, in either order; both restart',
    isLongOnly: true,
    guarantees: NONE_LOST,
    async run(stage) {
      const nats = await stage.nats();
      const shop = await stage.shop([...busyFlags(stage), '--nats', nats.url]);
      const victims = stage.random.pick([
        [shop, nats],
        [nats, shop],
      ]);
      stage.load();
      await stage.pass(stage.share(0.3, 0.6));
      await victims[0]!.kill9();
      await stage.pass(stage.random.below(1500));
      await victims[1]!.kill9();
      await stage.pass(stage.between(DOWN_MS_MIN, DOWN_MS_MAX));
      await Promise.all([nats.start(), shop.start()]);
      await stage.pass(stage.share(0.2, 0.4));
      await stage.finish();
    },
  },
  {
    name: 'forebay-kill-two',
    what: 'two Forebays drain one stream; one is killed and restarted',
    isLongOnly: true,
    guarantees: NONE_LOST,
    async run(stage) {
      const nats = await stage.nats();
      const flags = [...busyFlags(stage), '--nats', nats.url];
      const shops = [await stage.shop(flags), await stage.shop(flags)];
      stage.load();
      await killAndStart(stage, stage.random.pick(shops));
      await stage.finish();
    },
  },
];
