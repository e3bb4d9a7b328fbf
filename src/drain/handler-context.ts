import type { Options } from '../model/options.js';
import type { HandlerContext } from '../model/order.js';

/** The options that a handler gets. `--postgres-url` may hold a password: only the built-in `postgres` gets it. */
export function handlerContext({
  handler,
  attemptsMax,
  workMs,
  errorRate,
  postgresUrl,
  schema,
}: Options): HandlerContext {
  const options = { workMs, errorRate };
  const postgresOptions = { ...options, postgresUrl, storesJson: schema !== '' };
  return { attemptsMax, options: handler === 'postgres' ? postgresOptions : options };
}
