/** A server: the stages put together, in the order in which an order passes them. */
import { fileURLToPath } from 'node:url';
import { DrainThread } from '../../../workers/drain/drain-thread.js';
import { chooseEngine, type EngineChoice } from '../../../workers/intake/engine.js';
import type { IntakeThread, IntakeThreadData } from '../../../workers/intake/protocol.js';
import { IntakeSupervisor, startIntakeWorker } from '../../../workers/intake/supervisor.js';
import { handlerFault, handlerUrl } from '../../../workers/pool/handler-file.js';
import type { AdminServer } from '../../admin/server.js';
import { noteStopping } from '../../drain/hand-file.js';
import { checkKeySource } from '../../idempotency/check-options.js';
import { createKeyTableMemory } from '../../idempotency/key-table-setup.js';
import { RpsMeter } from '../../limit/meter.js';
import { WindowLimiter } from '../../limit/window.js';
import { WakeFlag } from '../../memory/wake-flag.js';
import { BLOCK, COUNTER, createCounts, KeyCounts, ThreadCounts } from '../../metrics/count.js';
import { publishThreadStats } from '../../metrics/thread-stats.js';
import type { OrdersAddress } from '../../model/listen.js';
import type { Log, LoggedEvent } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import type { Redact } from '../../model/redact.js';
import { connectionsMaxOf, processLimits } from '../../options/process-limits.js';
import type { WatchedFile } from '../../options/watched-file.js';
import { claimAddress } from '../../process/claim-address.js';
import { claimFolder, type Release } from '../../process/locks.js';
import { claimPid } from '../../process/pid-lock.js';
import { ServerCertificate } from '../../process/server-certificate.js';
import type { StopStep } from '../../process/shutdown.js';
import { type Contract, orderContract } from '../../schema/contract.js';
import { checkSenderOptions } from '../../senders/check-options.js';
import { SenderFiles } from '../../senders/sender-files.js';
import { adminTokens, warnOfAccess } from './admin-access.js';

const INTAKE_ENTRY = fileURLToPath(new URL('../../../workers/intake/thread.js', import.meta.url));

export interface ServerParts {
  readonly options: Options;
  readonly log: Log;
  /** Removes the secrets of the options from what the admin server shows. */
  readonly redact: Redact;
  /** The latest lines of the log. */
  readonly recent: () => readonly LoggedEvent[];
  /** The server cannot go on and must be stopped: because of what an operator can fix, or a bug. */
  readonly onFault: (fault: Error) => void;
}

/** The memory that all threads share. */
interface SharedMemory {
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  readonly limiter: SharedArrayBuffer | null;
  readonly keys: SharedArrayBuffer;
  /** Memory of `KeyCounts`. */
  readonly keyCounts: SharedArrayBuffer;
  /** Memory of a `WakeFlag`: set while the drain thread waits for the next durable frame. */
  readonly wakeFlag: SharedArrayBuffer;
}

/** What `Server.open` has opened, in the order in which it stops. */
interface Stages {
  readonly contract: Contract;
  readonly at: OrdersAddress;
  readonly engine: EngineChoice;
  readonly memory: SharedMemory;
  readonly intake: IntakeSupervisor;
  /** Null without TLS. */
  readonly certificate: ServerCertificate | null;
  readonly senders: SenderFiles;
  /** Of the admin server; null if it asks for none. */
  readonly tokens: WatchedFile<string[]> | null;
  readonly drain: DrainThread;
}

/**
 * A server in this process. It neither prints nor handles signals nor ends the process, so that a program can hold
 * several. Each needs ports and a data folder of its own.
 */
export class Server {
  readonly #parts: ServerParts;
  readonly #stages: Stages;
  readonly #releases: Release[];
  #admin: AdminServer | null = null;
  #adminPort = 0;
  #isStopping = false;

  private constructor(parts: ServerParts, stages: Stages, releases: Release[]) {
    this.#parts = parts;
    this.#stages = stages;
    this.#releases = releases;
  }

  /**
   * Opens all stages; nothing listens yet. What was opened is stopped by `steps`.
   *
   * @param stop when it is aborted before that, what was opened is closed, and `open` rejects. A claim that is then under way can
   *   be left to this process, which should end.
   * @throws OperatorFault it cannot begin; nothing is left open then
   */
  static async open(
    given: ServerParts,
    stop: AbortSignal = new AbortController().signal,
  ): Promise<Server> {
    const engine = await chooseEngine(given.options);
    // The engine may not be able to share the port between as many threads.
    const parts = { ...given, options: { ...given.options, threads: engine.threads } };
    const releases: Release[] = [];
    try {
      const opening = openStages(parts, engine, releases, stop);
      return new Server(parts, await Promise.race([opening, aborted(stop)]), releases);
    } catch (error) {
      await releaseAll(releases);
      throw error;
    }
  }

  /** Where orders are taken. */
  get at(): OrdersAddress {
    return this.#stages.at;
  }

  /** What a body must be. */
  get contract(): Contract {
    return this.#stages.contract;
  }

  /** 0 until `start` has listened. */
  get adminPort(): number {
    return this.#adminPort;
  }

  /** From now on the server is not ready, but takes orders. */
  leave(): void {
    this.#stages.intake.leave();
  }

  /** What stops it, in this order. A step does no harm where its stage never got going. */
  get steps(): readonly StopStep[] {
    const { intake, drain } = this.#stages;
    const { mode, data } = this.#parts.options;
    return [
      {
        what: 'intake',
        stop: () => {
          this.#isStopping = true;
          if (mode !== 'direct') noteStopping(data);
          return intake.stop();
        },
      },
      { what: 'drain', stop: () => drain.stop('stopDrain') },
      { what: 'journal', stop: () => drain.stop('closeJournal') },
      { what: 'pool', stop: () => drain.stop('destroyPool') },
      { what: 'admin', stop: async () => this.#admin?.close() },
      {
        what: 'locks',
        // A stage that did not stop may still use the data folder: only the end of the process gives it up then.
        stop: async (failure) => {
          if (failure !== null) return drain.unref();
          await releaseAll(this.#releases);
        },
      },
    ];
  }

  /**
   * Resolves with true when the server accepts orders, or with false if it was told to stop before.
   *
   * @throws OperatorFault a stage cannot start; the caller then stops the server
   */
  async start(): Promise<boolean> {
    const { options, log, redact, recent } = this.#parts;
    const { at, engine, memory, intake, certificate, senders, tokens, drain } = this.#stages;
    const threadsStarted = intake.start(at, drain.call('loadKeys'));
    // Not before: a thread takes what is renewed only once it is started. What has changed since `open` is found then.
    certificate?.watch((renewed) => intake.renewTls(renewed));
    senders.watch((data) => intake.renewSenders(data));
    // Awaited below; until then its failure must not count as unhandled.
    threadsStarted.catch(() => {});
    // Loaded while the threads start, which takes about as long.
    const { openAdmin } = await import('./observe.js');
    this.#admin = openAdmin(
      options,
      { ...memory, ...this.#stages, schema: this.contract.digest, log, recent },
      redact,
    );
    const admin = this.#admin;
    tokens?.watch(async () => admin.reviewViewers());
    const [adminPort] = await Promise.all([
      this.#admin.listen(options.adminHost, options.adminPort),
      requireHandler(options, drain),
      threadsStarted,
    ]);
    this.#adminPort = adminPort;
    warnOfAccess(options, admin, log);
    await drain.call('ready');
    if (this.#isStopping) return false;
    log('http-engine', engine.text, { engine: engine.name, threads: engine.threads });
    await drain.call('begin');
    await intake.ready();
    return !this.#isStopping;
  }
}

/** Rejects when it is aborted. */
function aborted(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (stop.aborted) reject(stop.reason);
    stop.addEventListener('abort', () => reject(stop.reason), { once: true });
  });
}

/**
 * @param releases takes what gives up each claim
 * @param stop when it is aborted, no more thread is started
 */
async function openStages(
  parts: ServerParts,
  engine: EngineChoice,
  releases: Release[],
  stop: AbortSignal,
): Promise<Stages> {
  const { options, log } = parts;
  const connectionsMax = connectionsMaxOf(options, processLimits());
  const memory = sharedMemory(options);
  stop.throwIfAborted();
  // First, because its thread loads what it needs meanwhile.
  const drain = startDrain(parts, memory, releases);
  const contract = await contractOf(options);
  checkSenderOptions(options);
  checkKeySource(options.idempotencyFrom, contract.schema);
  const certificate = ServerCertificate.open(options, log);
  const senders = new SenderFiles(options, log);
  const tokens = adminTokens(options, log);
  const { at, release } = await claimAddress(options);
  releases.push(release);
  const counts = new ThreadCounts(memory.counts, BLOCK.main);
  const stopPublishing = publishThreadStats(counts);
  releases.push(async () => stopPublishing());
  const startIntake = await intakeStarter(options);
  const shared = { contract, certificate, senders, drain, engine, connectionsMax };
  const intake = new IntakeSupervisor({
    threads: intakeCount(options),
    startThread: (index) => startIntake(index, threadData(options, memory, index, shared)),
    log,
    onRestart: () => counts.add(COUNTER.intakeThreadRestarts),
    onFault: parts.onFault,
  });
  stop.throwIfAborted();
  intake.load();
  releases.push(() => intake.abandon());
  await drain.open();
  releases.push(async () => {
    certificate?.close();
    senders.close();
    tokens?.close();
  });
  return { ...shared, at, memory, intake, tokens };
}

/** What checks a schema is loaded only for one of the operator's. */
async function contractOf({ schema, allowSlowPatterns }: Options): Promise<Contract> {
  if (schema === '') return orderContract;
  const { loadContract } = await import('../../schema/load-contract.js');
  return loadContract(schema, allowSlowPatterns);
}

/** With `--threads 0` there is one too, in the main thread. */
function intakeCount({ threads }: Options): number {
  return Math.max(1, threads);
}

function sharedMemory(options: Options): SharedMemory {
  return {
    counts: createCounts(BLOCK.intake + intakeCount(options)),
    meter: RpsMeter.memory(),
    limiter: options.rpsLimit === 0 ? null : WindowLimiter.memory(options.rpsLimit),
    keys: createKeyTableMemory(options),
    keyCounts: KeyCounts.memory(BLOCK.intake + intakeCount(options)),
    wakeFlag: WakeFlag.memory(),
  };
}

/** How an intake thread is started. The stages are loaded into the main thread only if they run there. */
async function intakeStarter(
  options: Options,
): Promise<(index: number, data: IntakeThreadData) => IntakeThread> {
  if (options.threads > 0) return (index, data) => startIntakeWorker(INTAKE_ENTRY, index, data);
  const { startIntakeInMain } = await import('../../../workers/intake/main-thread.js');
  return (_index, data) => startIntakeInMain(data);
}

async function requireHandler(options: Options, drain: DrainThread): Promise<void> {
  const wrong = await drain.call('loadHandler');
  if (wrong !== null) throw handlerFault(options.handler, wrong);
}

/** @param releases takes what ends the thread, and what gives up the data folder */
function startDrain(
  { options, log, onFault }: ServerParts,
  { counts, keys, wakeFlag }: SharedMemory,
  releases: Release[],
): DrainThread {
  const handler = handlerUrl(options.handler);
  const data = { options, handler, counts, intakeThreads: intakeCount(options), keys, wakeFlag };
  const claim = async () => {
    releases.push(await claimFolder(options.data));
    releases.push(await claimPid(options.data, { waits: true }));
  };
  const drain = new DrainThread(data, { log, claimFolder: claim, onFault });
  releases.push(() => drain.end());
  return drain;
}

function threadData(
  options: Options,
  memory: SharedMemory,
  threadIndex: number,
  shared: {
    contract: Contract;
    certificate: ServerCertificate | null;
    senders: SenderFiles;
    drain: DrainThread;
    engine: EngineChoice;
    connectionsMax: number;
  },
): IntakeThreadData {
  const { contract, certificate, senders, drain, engine, connectionsMax } = shared;
  return {
    tls: certificate?.material ?? null,
    senders: senders.data,
    ...memory,
    options,
    contract,
    engine: engine.name,
    sharesPort: options.threads > 1,
    countsIndex: BLOCK.intake + threadIndex,
    connectionsMax,
    intakeThreads: intakeCount(options),
    drainPort: drain.intakePort(false),
    directPort: options.mode === 'direct' ? drain.intakePort(true) : null,
  };
}

async function releaseAll(releases: Release[]): Promise<void> {
  for (const release of releases.splice(0)) await release();
}
