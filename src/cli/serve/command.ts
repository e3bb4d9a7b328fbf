/** `forebay serve`: puts the stages together, in the order in which an order passes them. */
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import type { IntakeThread, IntakeThreadData } from '../../../workers/intake/protocol.js';
import { IntakeSupervisor, startIntakeWorker } from '../../../workers/intake/supervisor.js';
import { handlerFault, handlerUrl } from '../../../workers/pool/handler-file.js';
import type { AdminServer } from '../../admin/server.js';
import { FrameIds } from '../../commit/frame-id.js';
import { type DrainHandle, openDrain } from '../../drain/open.js';
import { createKeyTableMemory, restoreKeys } from '../../idempotency/key-table-setup.js';
import { missingServerBinary } from '../../intake/platform.mjs';
import { openSource } from '../../journal/open.js';
import type { SourceHandle } from '../../journal/source-handle.js';
import { monotonicNs } from '../../limit/clock.js';
import { RpsMeter } from '../../limit/meter.js';
import { WindowLimiter } from '../../limit/window.js';
import { openLog } from '../../log/open-log.js';
import { KeyTable } from '../../memory/key-table.js';
import { WakeFlag } from '../../memory/wake-flag.js';
import { COUNTER, createCounts, ThreadCounts } from '../../metrics/count.js';
import { publishThreadStats } from '../../metrics/thread-stats.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Log } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import { serveHelp } from '../../options/help.js';
import { loadOptions } from '../../options/load.js';
import { claimFolder, claimPort } from '../../process/locks.js';
import { Shutdown } from '../../process/shutdown.js';
import { VERSION } from '../../version.js';

const INTAKE_ENTRY = fileURLToPath(new URL('../../../workers/intake/thread.js', import.meta.url));
const POOL_ENTRY = fileURLToPath(new URL('../../../workers/pool/thread.js', import.meta.url));

/** The memory that all threads share. */
interface SharedMemory {
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  readonly limiter: SharedArrayBuffer | null;
  readonly keys: SharedArrayBuffer;
}

export const help = serveHelp;

/** Returns when it serves, or has begun to stop. @throws OperatorFault it cannot begin */
export async function run(argv: readonly string[]): Promise<undefined> {
  const options = loadOptions(argv, process.env);
  const missing = await missingServerBinary();
  if (missing !== null) throw new OperatorFault(missing, EXIT.failed);
  const { log, flush } = openLog(options);
  const handler = handlerUrl(options.handler);
  const port = await claimPort(options.host, options.port);
  // With --threads 0 there is one too, in this thread.
  const intakes = Math.max(1, options.threads);
  const memory: SharedMemory = {
    counts: createCounts(1 + intakes),
    meter: RpsMeter.memory(),
    limiter: options.rpsLimit === 0 ? null : WindowLimiter.memory(options.rpsLimit),
    keys: createKeyTableMemory(options),
  };
  const wakeFlag = WakeFlag.memory();
  const counts = new ThreadCounts(memory.counts, 0);
  publishThreadStats(counts);
  const journal =
    options.mode === 'direct' ? null : await openJournal(options, memory, wakeFlag, log);
  const startIntake = await intakeStarter(options);
  const drain = openDrain({
    options,
    source: options.drain && journal !== null ? journal.source : null,
    counts,
    entry: POOL_ENTRY,
    handlerUrl: handler,
    limiter: (limit, windowMs) => new WindowLimiter(WindowLimiter.memory(limit, windowMs)),
    log,
  });
  // Each announcement wakes this thread: none where nobody listens.
  const isTold = options.drain && (journal?.onCommitted ?? null) !== null;
  const shared = { drain, wakeFlag: isTold ? wakeFlag : null };
  const intake = new IntakeSupervisor({
    threads: intakes,
    startThread: (index) => startIntake(index, threadData(options, memory, index, shared)),
    log,
    onCommitted: journal?.onCommitted ?? (() => {}),
    // In direct mode nobody remembers an order.
    findReceipt: async (frameId, index) => journal?.source.receipt(frameId, index) ?? 'unknown',
    onRestart: () => counts.add(COUNTER.intakeThreadRestarts),
    onFault: (fault) => stopping.fail(fault),
  });
  let admin: AdminServer | null = null;
  const stopping = new Shutdown(
    [
      { what: 'intake', stop: () => intake.stop() },
      { what: 'drain', stop: () => drain.stop() },
      { what: 'journal', stop: async () => journal?.close() },
      { what: 'pool', stop: () => drain.destroyPool() },
      { what: 'admin', stop: async () => admin?.close() },
    ],
    options.shutdownMsMax,
    log,
    flush,
  );
  try {
    const keysKnown = journal === null ? Promise.resolve() : loadKeys(memory, journal, log);
    const threadsStarted = intake.start(port, keysKnown);
    // Awaited below; until then its failure must not count as unhandled.
    threadsStarted.catch(() => {});
    // Loaded while the threads start, which takes about as long.
    const { openAdmin } = await import('./observe.js');
    admin = openAdmin(options, { ...memory, journal, drain, intake });
    const [adminPort] = await Promise.all([
      admin.listen(options.adminHost, options.adminPort),
      requireHandler(options, drain),
      threadsStarted,
    ]);
    await journal?.ready;
    if (stopping.isUnderWay) return;
    drain.start();
    await intake.ready();
    if (stopping.isUnderWay) return;
    stopping.serving();
    tellReady(options, [port, adminPort], log);
  } catch (fault) {
    // What is told to stop while it starts fails to start: that is no fault.
    if (!stopping.isUnderWay) stopping.fail(fault);
  }
}

/** How an intake thread is started. The stages are loaded into the main thread only if they run there. */
async function intakeStarter(
  options: Options,
): Promise<(index: number, data: IntakeThreadData) => IntakeThread> {
  if (options.threads > 0) return (index, data) => startIntakeWorker(INTAKE_ENTRY, index, data);
  const { startIntakeInMain } = await import('../../../workers/intake/main-thread.js');
  return (_index, data) => startIntakeInMain(data);
}

/** In one line on stdout, for whoever waits for it there, and as an event of the log, with what a fault report needs. */
function tellReady(options: Options, [port, adminPort]: readonly number[], log: Log): void {
  const { mode, host, adminHost, nats } = options;
  const urls = [`http://${host}:${port}`, `http://${adminHost}:${adminPort}`];
  process.stdout.write(`forebay ready: orders ${urls[0]} metrics ${urls[1]}\n`);
  const journal = mode === 'direct' ? mode : nats.length > 0 ? 'jetstream' : 'local';
  const { pid, version: node } = process;
  log('ready', 'orders are taken', { version: VERSION, node, journal, pid });
}

async function requireHandler(options: Options, drain: DrainHandle): Promise<void> {
  const wrong = await drain.loadHandler();
  if (wrong !== null) throw handlerFault(options.handler, wrong);
}

async function openJournal(
  options: Options,
  memory: SharedMemory,
  flag: SharedArrayBuffer,
  log: Log,
): Promise<SourceHandle> {
  const intakeCounts = Array.from(
    { length: Math.max(1, options.threads) },
    (_, i) => new ThreadCounts(memory.counts, 1 + i),
  );
  const total = (counter: number) =>
    intakeCounts.reduce((sum, counts) => sum + counts.get(counter), 0);
  const ids = new FrameIds();
  const wakeFlag = new WakeFlag(flag);
  return openSource(options, {
    newFrameId: () => ids.next(Date.now()),
    acceptedOrders: () => total(COUNTER.ordersAccepted),
    spooledOrders: () => total(COUNTER.ordersSpooled),
    failedKeyRows: () => total(COUNTER.keyRowsFailed),
    counts: new ThreadCounts(memory.counts, 0),
    log,
    listen: options.drain ? () => wakeFlag.set() : null,
    claimFolder: () => claimFolder(options.data),
  });
}

/** Before intake listens: a key that a client sends again must be known by then. */
async function loadKeys(memory: SharedMemory, journal: SourceHandle, log: Log): Promise<void> {
  const clocks = { nowNs: monotonicNs, nowMs: Date.now };
  const leftOut = await restoreKeys(new KeyTable(memory.keys), journal.keys, clocks);
  if (leftOut === 0) return;
  log(
    'keys-left-out',
    'idempotency keys do not fit into --idempotency-keys-max and are forgotten',
    {
      keys: leftOut,
    },
  );
}

function threadData(
  options: Options,
  memory: SharedMemory,
  threadIndex: number,
  { drain, wakeFlag }: { drain: DrainHandle; wakeFlag: SharedArrayBuffer | null },
): IntakeThreadData {
  const data = { options, ...memory, countsIndex: 1 + threadIndex, wakeFlag };
  if (options.mode !== 'direct') return { ...data, directPort: null };
  const { port1, port2 } = new MessageChannel();
  drain.serveDirect(port1);
  return { ...data, directPort: port2 };
}
