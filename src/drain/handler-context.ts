import type { Options } from '../model/options.js';
import type { HandlerContext } from '../model/order.js';

/** What a handler is told of the options. */
export function handlerContext({
  attemptsMax,
  workMs,
  errorRate,
  postgresUrl,
}: Options): HandlerContext {
  return { attemptsMax, options: { workMs, errorRate, postgresUrl } };
}
