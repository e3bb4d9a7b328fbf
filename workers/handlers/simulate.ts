import { setTimeout as sleep } from 'node:timers/promises';
import type { HandlerContext, Order, Outcome } from '../../src/model/order.js';

/** The default handler: simulates work that takes `--work-ms` per order, one after the other, and fails for `--error-rate` of the attempts. */
export default async function simulate(
  orders: readonly Order<unknown>[],
  context: HandlerContext,
): Promise<void | Outcome[]> {
  const { workMs, errorRate } = context.options;
  if (workMs > 0) await sleep(workMs * orders.length);
  if (errorRate === 0) return;
  return orders.map(() => (Math.random() < errorRate ? 'retry' : 'done'));
}
