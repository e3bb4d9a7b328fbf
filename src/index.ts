/** The public interface of the package: `import { serve } from 'forebay'`. */
import { EXIT, OperatorFault } from './model/fault.js';
import type { ForebayServer, ServeOptions } from './model/server.js';
import { unsupportedNode } from './process/node-version.js';

export type {
  DetailedOutcome,
  Handler,
  HandlerContext,
  HandlerModule,
  HandlerOptions,
  Order,
  OrderData,
  Outcome,
  ThrownByHandler,
} from './model/order.js';
export type { ForebayServer, ServeOptions } from './model/server.js';

/**
 * Starts a server in this process, next to other code. It handles no signals, prints nothing but its log on
 * stderr (`logLevel: 'silent'` turns that off), and never ends the process. Each server needs its own ports
 * and its own data folder.
 *
 * @returns when the server accepts orders
 * @throws Error an option is wrong, a port or the data folder is in use, or the handler cannot be loaded; its message
 * says what to change
 */
export async function serve(options: ServeOptions = {}): Promise<ForebayServer> {
  const oldNode = unsupportedNode(process.versions.node);
  if (oldNode !== null) throw new OperatorFault(oldNode, EXIT.usage);
  // Not before: an old Node cannot load it.
  const { startServer } = await import('./cli/serve/in-process.js');
  return startServer(options);
}
