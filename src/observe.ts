/** What operators see: metrics and readiness, put together in the main thread. */
import { AdminServer } from './admin/server.js';
import { DIRECT_DURABILITY } from './contract/durability.js';
import type { Options } from './contract/options.js';
import type { OpenDrain } from './drain/open-drain.js';
import type { OpenSource } from './journal/open-source.js';
import type { IntakeThreads } from './lifecycle/intake-threads.js';
import { monotonicNs } from './limit/clock.js';
import { RpsMeter } from './limit/meter.js';
import { KeyTable } from './memory/key-table.js';
import { createRegistry } from './metrics/collect.js';
import { GAUGE, ThreadCounts } from './metrics/count.js';
import { ThreadLoad } from './metrics/thread-load.js';
import { VERSION } from './version.js';

export interface Observed {
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  readonly keys: SharedArrayBuffer;
  /** Null in direct mode. */
  readonly journal: OpenSource | null;
  readonly drain: OpenDrain;
  readonly intake: IntakeThreads;
}

export function openAdmin(options: Options, observed: Observed): AdminServer {
  const { counts, journal, drain, intake } = observed;
  const source = journal?.source;
  const mainCounts = new ThreadCounts(counts, 0);
  const keys = new KeyTable(observed.keys);
  const meter = new RpsMeter(observed.meter);
  const threadNames = ['main', ...Array.from({ length: options.threads }, (_, i) => `intake-${i}`)];
  const waits = () => [source?.reason ?? '', drain.reason()].filter(Boolean);
  // Processing that waits is no reason to send customers away: their orders are safe. Direct mode has no
  // place to keep them.
  const unready = () =>
    source === undefined ? [...intake.reasons(), ...waits()] : intake.reasons();
  const registry = createRegistry({
    counts,
    live: {
      rps: () => meter.perSecond(),
      pendingOrders: () => source?.pendingOrders() ?? 0,
      oldestAgeSeconds: () => ageSeconds(source?.oldestAcceptedAtMs() ?? 0),
      deadLetters: () => source?.deadLetters() ?? 0,
      deadLettersMax: () => options.deadMax,
      rpsLimit: () => options.rpsLimit,
      drainRate: () => options.drainRate,
      spoolOrdersMax: () => (options.nats.length === 0 ? 0 : options.spoolOrdersMax),
      ready: () => (unready().length === 0 ? 1 : 0),
      journalReachable: () => (source === undefined || source.reachable ? 1 : 0),
      drainPaused: () => (drain.reason() === '' ? 0 : 1),
    },
    durability: journal?.durability ?? (() => DIRECT_DURABILITY),
    threadLoad: new ThreadLoad(counts, threadNames, () => drain.threadIds.list()),
    build: {
      version: VERSION,
      node: process.version,
      mode: options.mode,
      journal: source?.name ?? 'direct',
    },
  });
  return new AdminServer({
    metrics: () => {
      mainCounts.set(GAUGE.idempotencyKeys, keys.size(monotonicNs()));
      return registry.metrics();
    },
    metricsContentType: registry.contentType,
    readiness: unready,
    degraded: () => (source === undefined ? [] : waits()),
  });
}

function ageSeconds(acceptedAtMs: number): number {
  return acceptedAtMs === 0 ? 0 : Math.max(0, (Date.now() - acceptedAtMs) / 1000);
}
