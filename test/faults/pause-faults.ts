import type { Fault } from './fault.js';
import type { Stage } from './stage.js';

/** Longer than the others wait before they take over what a process has in hand; milliseconds. */
const PAUSE_MS_MIN = 25_000;
const PAUSE_MS_MAX = 45_000;

/**
 * Two batches are with the one pool thread of the paused process, and cannot be called back; and what was processed in the
 * last moments before the pause is not settled yet: 0.3 s of the load, on a busy machine. All that a paused process has in
 * hand is more, and were it processed on, it would be processed twice.
 */
const BATCH_ORDERS = 20;
const UNSETTLED_ORDERS = 600;
const REPEATED_MAX = 2 * BATCH_ORDERS + UNSETTLED_ORDERS;

/** Some of the orders are tried again, so that two settlements of one frame would show. */
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
    what: 'one of two Forebays is stopped by SIGSTOP until the other has taken over, and goes on',
    isLongOnly: true,
    promises: { isLossAllowed: false, isOnly200: false, repeatedMax: REPEATED_MAX },
    run: pauseOne,
  },
];
