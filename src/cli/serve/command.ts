/** `forebay serve`: a server as a process of its own. */

import { openLog } from '../../log/open-log.js';
import type { Log } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import { serveHelp } from '../../options/help.js';
import { loadOptions } from '../../options/load.js';
import { Shutdown, ShutdownOnSignals } from '../../process/shutdown.js';
import { VERSION } from '../../version.js';
import { Server } from './server.js';

export const help = serveHelp;

/** Returns when it serves, or has begun to stop. @throws OperatorFault it cannot begin */
export async function run(argv: readonly string[]): Promise<undefined> {
  const options = loadOptions(argv, process.env);
  const { log, flush } = openLog(options);
  outliveReaders();
  const server = await Server.open({ options, log, onFault: (fault) => stopping.fail(fault) });
  const stop = new Shutdown(server.steps, log, flush);
  const stopping = new ShutdownOnSignals(stop, options.shutdownMsMax, log, flush);
  try {
    if (!(await server.start())) return;
    stopping.serving();
    tellReady(options, server, log);
  } catch (fault) {
    // A server that is told to stop while it starts fails to start: that is no fault.
    if (!stop.hasStarted) stopping.fail(fault);
  }
}

/** A pipe that nobody reads any more must not end a server. */
function outliveReaders(): void {
  const goOn = () => {};
  process.stderr.on('error', goOn);
  process.stdout.on('error', goOn);
}

/** In one line on stdout, for programs that wait for it, and as an event of the log, with what a fault report needs. */
function tellReady(options: Options, { port, adminPort }: Server, log: Log): void {
  const { mode, host, adminHost, nats } = options;
  const urls = [`http://${host}:${port}`, `http://${adminHost}:${adminPort}`];
  process.stdout.write(`forebay ready: orders ${urls[0]} metrics ${urls[1]}\n`);
  const journal = mode === 'direct' ? mode : nats.length > 0 ? 'jetstream' : 'local';
  const { pid, version: node } = process;
  log('ready', 'orders are taken', { version: VERSION, node, journal, pid });
}
