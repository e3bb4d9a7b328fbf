import type { HandlerContext, Order } from '../../src/model/order.js';
import { PostgresFault } from './postgres-fault.js';
import { PostgresSink } from './postgres-sink.js';
import { jsonTable, orderTable } from './postgres-tables.js';

/** The context of this handler; other handlers do not get the URL. */
interface PostgresContext extends HandlerContext {
  readonly options: HandlerContext['options'] & {
    readonly postgresUrl: string;
    /** Whether `--schema` is another than the built-in order. */
    readonly storesJson: boolean;
  };
}

/** One per thread. */
let sink: PostgresSink | null = null;

function sinkOf(context: PostgresContext): PostgresSink {
  sink ??= newSink(context);
  return sink;
}

function newSink({ options }: PostgresContext): PostgresSink {
  const { postgresUrl, storesJson } = options;
  return new PostgresSink(postgresUrl, storesJson ? jsonTable : orderTable);
}

/** A configuration error prevents the start. Later, when it has worked before, it is handled like any other outage. */
export async function prepare(context: PostgresContext): Promise<void> {
  await sinkOf(context).open().catch(rethrowSetupFault);
}

/** Changes nothing: a missing table is only reported. */
export async function check(context: PostgresContext): Promise<string> {
  return newSink(context).inspect().catch(rethrowSetupFault);
}

function rethrowSetupFault(error: unknown): never {
  if (error instanceof PostgresFault && error.kind === 'setup') throw new Error(error.message);
  throw error;
}

/** The built-in handler `postgres`: each order becomes one row, of the table `forebay_orders` or with `--schema` of `forebay_json_orders`. */
export default async function insertOrders(
  orders: readonly Order<unknown>[],
  context: PostgresContext,
): Promise<void> {
  await sinkOf(context).insert(orders);
}
