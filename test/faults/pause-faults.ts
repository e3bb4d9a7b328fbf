import type { Fault } from './fault.js';
import type { Stage } from './stage.js';

/** Longer than others wait before they take over the frames of a process. */
const PAUSE_MS_MIN = 10_000;
const PAUSE_MS_MAX = 45_000;

/**
 * The one pool thread of the paused process has two batches, which cannot be taken back. What it processed just before the
 * pause is not settled yet: up to 0.3 s of the load on a busy machine. The process holds more than that, and would process
 * it twice if it continued wrongly.
 */
const BATCH_ORDERS = 20;
const UNSETTLED_ORDERS = 600;
const REPEATED_MAX = 2 * BATCH_ORDERS + UNSETTLED_ORDERS;

/** Some orders are retried, so that two settlements of one frame would be noticed. */
async function pauseOne(stage: Stage): Promise<void> {
  const nats = await stage.nats();
  const handler = stage.plainHandler({ batchMs: 20, retriedPermille: 100 });
  const shape = ['--workers', '1', '--batch-orders-max', String(BATCH_ORDERS)];
  const flags = ['--handler', handler, '--nats', nats.url, ...shape, '--retry-ms-min', '50'];
  const shops = [await stage.shop(flags), await stage.shop(flags)];
  stage.load();
  await stage.pass(stage.share(0.1, 0.3));
  const paused = stage.random.pick(shops);
  paused.pause();
  await stage.pass(stage.between(PAUSE_MS_MIN, PAUSE_MS_MAX));
  paused.goOn();
  await stage.pass(stage.share(0.3, 0.5));
  await stage.finish();
}

export const pauseFaults: readonly Fault[] = [
  {
    name: 'forebay-pause-two',
    what: 'one of two Forebays is stopped with SIGSTOP until the other has taken over, then continues',
    isLongOnly: true,
    guarantees: { isLossAllowed: false, isOnly200: false, repeatedMax: REPEATED_MAX },
    run: pauseOne,
  },
];
