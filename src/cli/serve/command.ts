/** `forebay serve`: a server as a process of its own. */
import { openLog } from '../../log/open-log.js';
import { EXIT } from '../../model/fault.js';
import type { Log } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import type { StopSignals } from '../../model/stop-signals.js';
import { serveHelp } from '../../options/help.js';
import { loadOptions } from '../../options/load.js';
import { Shutdown, ShutdownOnSignals } from '../../process/shutdown.js';
import { VERSION } from '../../version.js';
import { Server } from './server.js';

export const help = serveHelp;

/** Returns when it serves, or has begun to stop. @throws OperatorFault it cannot begin */
export async function run(argv: readonly string[], signals: StopSignals): Promise<undefined> {
  const options = loadOptions(argv, process.env);
  const { log, flush } = openLog(options);
  ignoreClosedOutput();
  signals.onStop((signal) => {
    // Nothing is accepted yet, and the kernel releases the locks.
    log('stopping', 'stopping', { signal });
    log('stopped', 'stopped');
    process.exit(EXIT.ok);
  });
  const server = await Server.open({ options, log, onFault: (fault) => stopping.fail(fault) });
  const stop = new Shutdown(server.steps, log, flush);
  const stopping = new ShutdownOnSignals(signals, stop, options.shutdownMsMax, log, flush);
  try {
    if (!(await server.start())) return;
    stopping.serving();
    reportReady(options, server, log);
  } catch (fault) {
    // A server that is told to stop while it starts fails to start: that is no fault.
    if (!stop.hasStarted) stopping.fail(fault);
  }
}

/** A server must not end because the reader of its output has closed the pipe. */
function ignoreClosedOutput(): void {
  const ignore = () => {};
  process.stderr.on('error', ignore);
  process.stdout.on('error', ignore);
}

/** Prints the ready line on stdout, for programs that wait for it, and logs the event with the facts that a bug report needs. */
function reportReady(options: Options, { port, adminPort }: Server, log: Log): void {
  const { mode, host, adminHost, nats } = options;
  const urls = [`http://${host}:${port}`, `http://${adminHost}:${adminPort}`];
  process.stdout.write(`forebay ready: orders ${urls[0]} metrics ${urls[1]}\n`);
  const journal = mode === 'direct' ? mode : nats.length > 0 ? 'jetstream' : 'local';
  const { pid, version: node } = process;
  log('ready', 'the server accepts orders', { version: VERSION, node, journal, pid });
}
