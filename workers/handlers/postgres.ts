import type { HandlerContext, Order } from '../../src/model/order.js';
import { PostgresFault } from './postgres-fault.js';
import { PostgresSink } from './postgres-sink.js';

/** What only this handler is given. */
interface PostgresContext extends HandlerContext {
  readonly options: HandlerContext['options'] & { readonly postgresUrl: string };
}

/** Of this thread. */
let sink: PostgresSink | null = null;

function sinkOf({ options }: PostgresContext): PostgresSink {
  sink ??= new PostgresSink(options.postgresUrl);
  return sink;
}

/** A wrong set-up is told at the start; later, when it has worked before, it is an outage like any other. */
export async function prepare(context: PostgresContext): Promise<void> {
  await sinkOf(context).open().catch(tellSetUp);
}

/** Changes nothing: where there is no table, it says so. */
export async function check({ options }: PostgresContext): Promise<string> {
  return new PostgresSink(options.postgresUrl).look().catch(tellSetUp);
}

function tellSetUp(error: unknown): never {
  if (error instanceof PostgresFault && error.kind === 'setup') throw new Error(error.message);
  throw error;
}

/** The built-in handler `postgres`: each order becomes one row of the table `forebay_orders`. */
export default async function insertOrders(
  orders: readonly Order[],
  context: PostgresContext,
): Promise<void> {
  await sinkOf(context).insert(orders);
}
