/** `forebay serve`: puts the stages together, in the order in which an order passes them. */
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { type Logger, pino } from 'pino';
import { AdminServer } from './admin/server.js';
import { FrameIds } from './commit/frame-id.js';
import { EXIT, OperatorFault } from './contract/fault.js';
import type { IntakeThreadData } from './contract/intake-thread.js';
import type { Options } from './contract/options.js';
import { type OpenDrain, openDrain } from './drain/open-drain.js';
import { missingServerBinary } from './intake/platform.mjs';
import { type OpenSource, openSource } from './journal/open-source.js';
import { claimFolder, claimPort } from './lifecycle/exclusive.js';
import { handlerFault, handlerUrl } from './lifecycle/handler-file.js';
import { IntakeThreads } from './lifecycle/intake-threads.js';
import { Stopping } from './lifecycle/stopping.js';
import { RpsMeter } from './limit/meter.js';
import { WindowLimiter } from './limit/window.js';
import { createRegistry } from './metrics/collect.js';
import { COUNTER, createCounts, ThreadCounts } from './metrics/count.js';
import { publishThread } from './metrics/thread-beacon.js';
import { ThreadLoad } from './metrics/thread-load.js';
import { helpText } from './options/help.js';
import { loadOptions } from './options/load.js';
import { VERSION } from './version.js';

const INTAKE_ENTRY = fileURLToPath(new URL('../workers/intake.js', import.meta.url));
const HANDLE_ENTRY = fileURLToPath(new URL('../workers/handle.js', import.meta.url));

/** What all threads share: see design section 4. */
interface SharedMemory {
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  readonly limiter: SharedArrayBuffer | null;
}

export async function serve(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) {
    process.stdout.write(helpText());
    return;
  }
  const options = loadOptions(argv, process.env);
  const missing = await missingServerBinary();
  if (missing !== null) throw new OperatorFault(missing, EXIT.failed);
  const log = pino(
    { level: options.logLevel, base: null },
    pino.destination({ dest: 2, sync: true }),
  );
  const handler = handlerUrl(options.handler);
  const { port } = await claimPort(options.host, options.port);
  const memory: SharedMemory = {
    counts: createCounts(1 + options.threads),
    meter: RpsMeter.memory(),
    limiter: options.rpsLimit === 0 ? null : WindowLimiter.memory(options.rpsLimit),
  };
  const counts = new ThreadCounts(memory.counts, 0);
  publishThread(counts);
  const journal = options.mode === 'direct' ? null : await openJournal(options, memory, log);
  const drain = openDrain({
    options,
    source: options.drain && journal !== null ? journal.source : null,
    counts,
    entry: HANDLE_ENTRY,
    handlerUrl: handler,
    limiter: (limit, windowMs) => new WindowLimiter(WindowLimiter.memory(limit, windowMs)),
    onFault: (line, error) => log.error({ err: error }, line),
  });
  const intake = new IntakeThreads({
    entry: INTAKE_ENTRY,
    threads: options.threads,
    dataOf: (index) => threadData(options, memory, index, drain),
    log,
    onCommitted: journal?.onCommitted ?? (() => {}),
    onRestart: () => counts.add(COUNTER.intakeThreadRestarts),
    onFault: (fault) => stopping.fail(fault),
  });
  const admin = openAdmin(options, memory, { journal, drain, intake });
  const stopping = new Stopping(
    [
      { what: 'intake', stop: () => intake.stop() },
      { what: 'drain', stop: () => drain.stop() },
      { what: 'journal', stop: async () => journal?.source.close() },
      { what: 'pool', stop: () => drain.destroyPool() },
      { what: 'admin', stop: () => admin.close() },
    ],
    options.shutdownMsMax,
    log,
  );
  try {
    await start(options, port, { journal, drain, intake, admin });
  } catch (fault) {
    stopping.fail(fault);
  }
}

/** Prints the one line that says where everything is, once orders are taken. */
async function start(
  options: Options,
  port: number,
  parts: {
    journal: OpenSource | null;
    drain: OpenDrain;
    intake: IntakeThreads;
    admin: AdminServer;
  },
): Promise<void> {
  const { journal, drain, intake, admin } = parts;
  const { host, adminHost } = options;
  const [wrong, adminPort] = await Promise.all([
    drain.loadHandler(),
    admin.listen(adminHost, options.adminPort),
    intake.start(port),
  ]);
  if (wrong !== null) throw handlerFault(options.handler, wrong);
  await journal?.ready;
  drain.start();
  await intake.ready();
  process.stdout.write(
    `forebay ready: orders http://${host}:${port} metrics http://${adminHost}:${adminPort}\n`,
  );
}

async function openJournal(
  options: Options,
  memory: SharedMemory,
  log: Logger,
): Promise<OpenSource> {
  const intakeCounts = Array.from(
    { length: options.threads },
    (_, i) => new ThreadCounts(memory.counts, 1 + i),
  );
  const ids = new FrameIds();
  const open = openSource(options, {
    newFrameId: () => ids.next(Date.now()),
    acceptedOrders: () =>
      intakeCounts.reduce((sum, counts) => sum + counts.get(COUNTER.ordersAccepted), 0),
    log: (line) => log.warn(line),
  });
  if (open.source.name === 'local') await claimFolder(options.data);
  return open;
}

function threadData(
  options: Options,
  memory: SharedMemory,
  threadIndex: number,
  drain: OpenDrain,
): IntakeThreadData {
  const data = { options, ...memory, countsIndex: 1 + threadIndex };
  if (options.mode !== 'direct') return { ...data, directPort: null };
  const { port1, port2 } = new MessageChannel();
  drain.serveDirect(port1);
  return { ...data, directPort: port2 };
}

function openAdmin(
  options: Options,
  memory: SharedMemory,
  parts: { journal: OpenSource | null; drain: OpenDrain; intake: IntakeThreads },
): AdminServer {
  const { journal, drain, intake } = parts;
  const source = journal?.source;
  const meter = new RpsMeter(memory.meter);
  const threadNames = ['main', ...Array.from({ length: options.threads }, (_, i) => `intake-${i}`)];
  const registry = createRegistry({
    counts: memory.counts,
    live: {
      rps: () => meter.perSecond(),
      pendingOrders: () => source?.pendingOrders() ?? 0,
      oldestAgeSeconds: () => ageSeconds(source?.oldestAcceptedAtMs() ?? 0),
    },
    threadLoad: new ThreadLoad(memory.counts, threadNames, () => drain.threadIds.list()),
    build: {
      version: VERSION,
      node: process.version,
      mode: options.mode,
      journal: source?.name ?? 'direct',
    },
  });
  return new AdminServer({
    metrics: () => registry.metrics(),
    metricsContentType: registry.contentType,
    readiness: () => {
      const reasons = intake.reasons();
      return source === undefined || source.reachable ? reasons : [...reasons, source.reason];
    },
  });
}

function ageSeconds(acceptedAtMs: number): number {
  return acceptedAtMs === 0 ? 0 : Math.max(0, (Date.now() - acceptedAtMs) / 1000);
}
