import type { HandlerContext, Order } from '../../src/model/order.js';
import { PostgresFault } from './postgres-fault.js';
import { PostgresSink } from './postgres-sink.js';

/** The context of this handler; other handlers do not get the URL. */
interface PostgresContext extends HandlerContext {
  readonly options: HandlerContext['options'] & { readonly postgresUrl: string };
}

/** One per thread. */
let sink: PostgresSink | null = null;

function sinkOf({ options }: PostgresContext): PostgresSink {
  sink ??= new PostgresSink(options.postgresUrl);
  return sink;
}

/** A configuration error prevents the start. Later, when it has worked before, it is handled like any other outage. */
export async function prepare(context: PostgresContext): Promise<void> {
  await sinkOf(context).open().catch(rethrowSetupFault);
}

/** Changes nothing: a missing table is only reported. */
export async function check({ options }: PostgresContext): Promise<string> {
  return new PostgresSink(options.postgresUrl).inspect().catch(rethrowSetupFault);
}

function rethrowSetupFault(error: unknown): never {
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
