import { type Fault, NONE_LOST } from './fault.js';
import type { Stage } from './stage.js';

const STOPS = 2;

/** An ordered stop: no order may be processed twice. */
async function stopAndStart(stage: Stage, flags: readonly string[]): Promise<void> {
  const handler = stage.plainHandler({ batchMs: stage.random.below(20) });
  const pace = stage.random.pick([[], ['--drain-rate', '1500']]);
  const shop = await stage.shop(['--handler', handler, ...pace, ...flags]);
  stage.load();
  for (let i = 0; i < STOPS; i++) {
    await stage.pass(stage.share(0.1, 0.3));
    await shop.stop();
    await shop.start();
  }
  await stage.pass(stage.share(0.1, 0.3));
  await stage.finish();
}

export const stopFaults: readonly Fault[] = [
  {
    name: 'forebay-stop-local',
    what: 'SIGTERM under load and restart, twice; local journal',
    isLongOnly: true,
    guarantees: NONE_LOST,
    run: (stage) => stopAndStart(stage, []),
  },
  {
    name: 'forebay-stop-jetstream',
    what: 'SIGTERM under load and restart, twice; JetStream',
    guarantees: NONE_LOST,
    async run(stage) {
      await stopAndStart(stage, ['--nats', (await stage.nats()).url]);
    },
  },
  {
    name: 'forebay-stop-spooling',
    what: 'SIGTERM while nats-server is down, and restart; then nats-server restarts; half of the seeds with retries',
    guarantees: NONE_LOST,
    async run(stage) {
      const nats = await stage.nats();
      const handler = stage.plainHandler({ retriedPermille: stage.random.pick([0, 20]) });
      const shop = await stage.shop(['--handler', handler, '--nats', nats.url]);
      stage.load();
      await stage.pass(stage.share(0.1, 0.3));
      await nats.kill9();
      await stage.pass(stage.share(0.1, 0.3));
      await shop.stop();
      await shop.start();
      await stage.pass(stage.share(0.1, 0.3));
      await nats.start();
      await stage.pass(stage.share(0.1, 0.3));
      await stage.finish();
    },
  },
];
