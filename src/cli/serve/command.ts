/** `forebay serve`: a server as a process of its own. */
import { openLog } from '../../log/open-log.js';
import type { Log } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import type { StopSignals } from '../../model/stop-signals.js';
import { serveHelp } from '../../options/help.js';
import { type LoadedOptions, loadWithOrigins, redactorOf } from '../../options/load.js';
import { exposureText } from '../../options/spec.js';
import { Shutdown, ShutdownOnSignals } from '../../process/shutdown.js';
import { VERSION } from '../../version.js';
import { Server } from './server.js';
import { serverUrls } from './urls.js';

export const help = serveHelp;

/** Returns when it serves, or has begun to stop. @throws OperatorFault it cannot begin */
export async function run(argv: readonly string[], signals: StopSignals): Promise<undefined> {
  const loaded = loadWithOrigins(argv, process.env);
  const { options } = loaded;
  const output = openLog(options, redactorOf(options));
  const { log, flush, redact, recent } = output;
  ignoreClosedOutput();
  logOrigins(loaded, log);
  const abandoned = new AbortController();
  const opening = Server.open(
    { options, log, redact, recent, onFault: (fault) => stopping.fail(fault) },
    abandoned.signal,
  );
  let opened: Server | null = null;
  // Not `process.exit` at once: a thread that is ended while it runs native code can take the process down.
  const abandon = async () => {
    abandoned.abort();
    await opening.catch(() => {});
  };
  const steps = () => opened?.steps ?? [{ what: 'start', stop: abandon }];
  const stop = new Shutdown(steps, log, flush);
  const delay = { ms: options.shutdownDelayMs, begin: () => opened?.leave() };
  const times = { msMax: options.shutdownMsMax, delay };
  const stopping = new ShutdownOnSignals(signals, stop, times, output);
  try {
    opened = await opening;
  } catch (fault) {
    if (stop.hasStarted) return;
    throw fault;
  }
  const server = opened;
  try {
    if (!(await server.start())) return;
    stopping.serving();
    reportReady(options, server, log);
  } catch (fault) {
    // A server that is told to stop while it starts fails to start: that is no fault.
    if (!stop.hasStarted) stopping.fail(fault);
  }
}

/** What the operator should know about how the options were set. */
function logOrigins({ ofKubernetes, exposed }: LoadedOptions, log: Log): void {
  if (ofKubernetes.length > 0) {
    const variables = ofKubernetes.join(', ');
    log('variables-ignored', 'variables that Kubernetes set for a Service are ignored', {
      variables,
    });
  }
  if (exposed.length > 0) log('secret-exposed', exposureText(exposed));
}

/** A server must not end because the reader of its output has closed the pipe. */
function ignoreClosedOutput(): void {
  const ignore = () => {};
  process.stderr.on('error', ignore);
  process.stdout.on('error', ignore);
}

/**
 * Logs the event with the facts that a bug report needs, and then prints the ready line on stdout for programs that wait for it:
 * what was logged until then is on stderr before it.
 */
function reportReady(options: Options, { at, adminPort, contract }: Server, log: Log): void {
  const { mode, nats, path } = options;
  const { orders, admin } = serverUrls(options, at, adminPort);
  const journal = mode === 'direct' ? mode : nats.length > 0 ? 'jetstream' : 'local';
  const { pid, version: node } = process;
  const facts = { version: VERSION, node, journal, path, schema: contract.digest, pid };
  log('ready', 'the server accepts orders', facts);
  process.stdout.write(`forebay ready: orders ${orders} metrics ${admin} path ${path}\n`);
}
