import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { LeftOrders } from '../model/left-orders.js';
import type { Log } from '../model/log.js';
import type { Options } from '../model/options.js';
import { HAND_FILE, HandFile } from './hand-file.js';
import { BATCHES_PER_THREAD } from './scheduler.js';

/** Opens the file of a data folder that this process owns. Null, with a line in the log, if it cannot be written. */
export function openHand(options: Options, log: Log): HandFile | null {
  const { data, workers, batchOrdersMax } = options;
  const open = () => HandFile.open(data, workers * BATCHES_PER_THREAD, batchOrdersMax);
  try {
    try {
      return open();
    } catch {
      // Another user's file, after a run with sudo: what it says is lost, and the next crash counts again.
      unlinkSync(join(data, HAND_FILE));
      return open();
    }
  } catch (error) {
    log(
      'crash-uncounted',
      `data folder ${data}: ${(error as Error).message}: after a crash, the orders in progress are unknown; fix: make ${HAND_FILE} a file that this user can write`,
    );
    return null;
  }
}

/** What the last process has left in the file; says how many orders were in progress. */
export function leftIn(hand: HandFile, log: Log): LeftOrders[] {
  const left = hand.left();
  const inProgress = left.filter(({ crashes }) => crashes > 0);
  const orders = inProgress.reduce((sum, { count }) => sum + count, 0);
  if (orders > 0) {
    log(
      'crash-suspects',
      'the last process died while orders were in progress: each of them runs alone',
      { orders },
    );
  }
  return left;
}
