/** What operators see: metrics and readiness, put together in the main thread. */

import type { DrainThread } from '../../../workers/drain/drain-thread.js';
import type { JournalState } from '../../../workers/drain/protocol.js';
import type { IntakeSupervisor } from '../../../workers/intake/supervisor.js';
import { AdminServer } from '../../admin/server.js';
import { monotonicNs } from '../../limit/clock.js';
import { RpsMeter } from '../../limit/meter.js';
import { KeyTable } from '../../memory/key-table.js';
import type { Collected, Registry } from '../../metrics/collect.js';
import { BLOCK, GAUGE, KeyCounts, ThreadCounts } from '../../metrics/count.js';
import { LiveSnapshots } from '../../metrics/live-snapshots.js';
import { METRICS_TYPE } from '../../metrics/names.js';
import { ThreadLoad } from '../../metrics/thread-load.js';
import type { DrainFacts } from '../../model/drain-view.js';
import { DIRECT_DURABILITY, type Durability } from '../../model/durability.js';
import type { JournalName } from '../../model/journal.js';
import type { Log, LoggedEvent } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import type { Redact } from '../../model/redact.js';
import type { Storage } from '../../model/storage.js';
import type { UnreadableCounts } from '../../model/unreadable.js';
import { adminConnectionsMax, processLimits } from '../../options/process-limits.js';
import { VERSION } from '../../version.js';
import { DurabilityInForce } from './durability-in-force.js';

export interface Observed {
  /** Digest of the schema that orders must be valid against. */
  readonly schema: string;
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  readonly keys: SharedArrayBuffer;
  readonly drain: DrainThread;
  readonly intake: IntakeSupervisor;
  /** Null without TLS. */
  readonly certificate: { readonly notAfterMs: number } | null;
  readonly senders: { readonly labels: readonly string[]; readonly refusedFiles: number };
  readonly keyCounts: SharedArrayBuffer;
  /** The latest lines of the log. */
  readonly recent: () => readonly LoggedEvent[];
  /** Of the admin server; null if it asks for none. */
  readonly tokens: { readonly value: readonly string[] } | null;
  readonly log: Log;
}

export function openAdmin(options: Options, observed: Observed, redact: Redact): AdminServer {
  const { counts, drain, intake } = observed;
  const { mode, threads } = options;
  const journal = () => drain.state.journal;
  const mainCounts = new ThreadCounts(counts, BLOCK.main);
  const keys = new KeyTable(observed.keys);
  const threadNames = ['main', 'drain', ...names('intake', threads)];
  const build = buildOf(options, observed);
  // While the drain thread cannot reach NATS either, its reason says why.
  const spools = () => (journal()?.reachable ? intake.spoolReasons() : []);
  const waits = () =>
    [journal()?.reason ?? '', drain.state.reason, ...spools()].filter(Boolean).map(redact);
  const refusals = () => intake.reasons().map(redact);
  // Orders are still accepted while processing waits, because they are safe. Direct mode cannot keep them.
  const reasons = () => (mode === 'direct' ? [...refusals(), ...waits()] : refusals());
  const storage = () => journal()?.storage ?? null;
  const unreadable = () => journal()?.unreadable ?? { rows: 0, files: 0 };
  const degraded = () =>
    mode === 'direct' ? [] : [...waits(), unreadableText(unreadable())].filter(Boolean);
  const live = {
    ...journalGauges(options, journal),
    journalDegraded: () =>
      journal()?.reachable && (journal()?.reason !== '' || spools().length > 0) ? 1 : 0,
    ...storageGauges(storage),
    ...ownGauges(observed),
    unreadableRows: () => unreadable().rows,
    damagedFiles: () => unreadable().files,
    rps: perSecond(observed.meter),
    rpsLimit: () => options.rpsLimit,
    drainRate: () => drain.setting.rate,
    ready: () => (reasons().length === 0 ? 1 : 0),
    drainPaused: () => (drain.state.reason === '' ? 0 : 1),
  };
  const durability = durabilityInForce(options, observed, redact);
  // One for the scrapes and one for the page: a load is measured since the last reading.
  const threadLoad = () => new ThreadLoad(counts, threadNames, () => drain.state.poolThreads);
  const collected = { counts, live, durability, ...labelled(observed), build };
  const registry = laterRegistry({ ...collected, threadLoad: threadLoad() });
  return new AdminServer({
    refresh: () => drain.refresh(),
    metrics: async () => {
      mainCounts.set(GAUGE.idempotencyKeys, keys.size(monotonicNs()));
      return (await registry()).metrics();
    },
    metricsContentType: METRICS_TYPE,
    ...accessTo(options, observed),
    drain: drainFacts(drain),
    readiness: reasons,
    degraded,
    live: new LiveSnapshots({
      options,
      counts,
      live,
      durability,
      threadLoad: threadLoad(),
      threads: [...threadNames, ...names('pool', options.workers)],
      build,
      reasons,
      degraded,
      storage,
      scheduledGoneAtMs: () => scheduledGoneAtMs(options, drain),
      events: observed.recent,
    }),
  });
}

/** Loads prom-client for the first scrape: that takes longer than a twentieth of the start. */
function laterRegistry(collected: Collected): () => Promise<Registry> {
  let opened: Promise<Registry> | null = null;
  return () => {
    opened ??= import('../../metrics/collect.js').then(({ createRegistry }) =>
      createRegistry(collected),
    );
    return opened;
  };
}

function buildOf(options: Options, { drain, schema }: Observed) {
  return {
    version: VERSION,
    node: process.version,
    mode: options.mode,
    journal: drain.state.journal?.name ?? ('direct' satisfies JournalName),
    path: options.path,
    schema: schema,
  };
}

function drainFacts(drain: DrainThread): DrainFacts {
  return {
    control: drain,
    backlog: () => drain.state.journal?.pendingOrders ?? null,
    doneAtMs: () => finiteOrNull(drain.state.backlogGoneAtMs),
    scheduled: () => {
      const slot = drain.state.scheduled;
      return slot && { rate: slot.rate, until: new Date(slot.toMs).toISOString() };
    },
  };
}

/** When the backlog will be gone under the schedule; null without one, and if that is unknown or will never be. */
function scheduledGoneAtMs(options: Options, { setting, state }: DrainThread): number | null {
  if (options.drainSchedule === '' || !setting.followsSchedule) return null;
  return finiteOrNull(state.backlogGoneAtMs);
}

function finiteOrNull(atMs: number | null): number | null {
  return atMs === Number.POSITIVE_INFINITY ? null : atMs;
}

/** Who reaches the admin server, and how many. */
function accessTo(options: Options, { tokens, log }: Observed) {
  const connectionsMax = adminConnectionsMax(processLimits());
  return { hosts: options.adminHosts, tokens, log, connectionsMax };
}

function durabilityInForce(
  options: Options,
  { counts, drain, intake }: Observed,
  redact: Redact,
): () => Durability {
  const inForce = new DurabilityInForce({
    counts,
    journal: () => drain.state.journal?.durability ?? DIRECT_DURABILITY,
    spoolReasons: () => spoolReasons(options, drain.state.journal, intake),
  });
  return () => redacted(inForce.read(), redact);
}

/** Why orders go to the spool, if there is one. */
function spoolReasons(
  { nats, spoolOrdersMax }: Options,
  journal: JournalState | null,
  intake: IntakeSupervisor,
): readonly string[] {
  if (nats.length === 0 || spoolOrdersMax === 0) return [];
  const own = journal === null || journal.reachable ? '' : journal.reason;
  return [...intake.spoolReasons(), own].filter(Boolean);
}

function ownGauges({ drain, senders, certificate }: Observed) {
  return {
    senderFilesRefused: () => senders.refusedFiles,
    tlsNotAfter: () => (certificate?.notAfterMs ?? 0) / 1000,
    backlogGoneAt: () => (drain.state.backlogGoneAtMs ?? 0) / 1000,
    windowEndsAt: () => drain.state.windowEndsAtMs / 1000,
  };
}

function storageGauges(storage: () => Storage | null) {
  return {
    diskFreeBytes: () => storage()?.freeBytes ?? 0,
    diskSizeBytes: () => storage()?.sizeBytes ?? 0,
    journalBytes: () => storage()?.journalBytes ?? 0,
  };
}

/** Counters whose labels are not known before. */
function labelled({ keyCounts, senders, drain }: Observed) {
  return {
    keyResponses: () => KeyCounts.totals(keyCounts, senders.labels),
    failureReasons: () => drain.state.failureReasons,
  };
}

function redacted(durability: Durability, redact: Redact): Durability {
  const { text, remedy } = durability;
  return { ...durability, text: redact(text), remedy: redact(remedy) };
}

function unreadableText({ rows, files }: UnreadableCounts): string {
  if (rows + files === 0) return '';
  return `orders cannot be read (${rows} rows of the journal, ${files} files in the folder damaged): see forebay dlq unreadable`;
}

function perSecond(memory: SharedArrayBuffer): () => number {
  const meter = new RpsMeter(memory);
  return () => meter.perSecond();
}

function journalGauges(options: Options, journal: () => JournalState | null) {
  return {
    pendingOrders: () => journal()?.pendingOrders ?? 0,
    oldestAgeSeconds: () => ageSeconds(journal()?.oldestAcceptedAtMs ?? 0),
    deadLetters: () => journal()?.deadLetters ?? 0,
    deadLettersMax: () => options.deadMax,
    spoolOrdersMax: () => (options.nats.length === 0 ? 0 : options.spoolOrdersMax),
    journalReachable: () => (journal()?.reachable === false ? 0 : 1),
  };
}

function ageSeconds(acceptedAtMs: number): number {
  return acceptedAtMs === 0 ? 0 : Math.max(0, (Date.now() - acceptedAtMs) / 1000);
}

/** The names of the threads of a kind, the same as in `PoolThreadIds`. */
function names(pool: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${pool}-${i}`);
}
