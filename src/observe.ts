/** What operators see: metrics and readiness, put together in the main thread. */
import { AdminServer } from './admin/server.js';
import type { Options } from './contract/options.js';
import type { OpenDrain } from './drain/open-drain.js';
import type { OpenSource } from './journal/open-source.js';
import type { IntakeThreads } from './lifecycle/intake-threads.js';
import { RpsMeter } from './limit/meter.js';
import { createRegistry } from './metrics/collect.js';
import { ThreadLoad } from './metrics/thread-load.js';
import { VERSION } from './version.js';

export interface Observed {
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  /** Null in direct mode. */
  readonly journal: OpenSource | null;
  readonly drain: OpenDrain;
  readonly intake: IntakeThreads;
}

export function openAdmin(options: Options, observed: Observed): AdminServer {
  const { counts, journal, drain, intake } = observed;
  const source = journal?.source;
  const meter = new RpsMeter(observed.meter);
  const threadNames = ['main', ...Array.from({ length: options.threads }, (_, i) => `intake-${i}`)];
  const registry = createRegistry({
    counts,
    live: {
      rps: () => meter.perSecond(),
      pendingOrders: () => source?.pendingOrders() ?? 0,
      oldestAgeSeconds: () => ageSeconds(source?.oldestAcceptedAtMs() ?? 0),
    },
    threadLoad: new ThreadLoad(counts, threadNames, () => drain.threadIds.list()),
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
    // Intake and drain have connections of their own to one journal: the same reason is told once.
    readiness: () =>
      [...new Set([...intake.reasons(), source?.reason ?? '', drain.reason()])].filter(Boolean),
  });
}

function ageSeconds(acceptedAtMs: number): number {
  return acceptedAtMs === 0 ? 0 : Math.max(0, (Date.now() - acceptedAtMs) / 1000);
}
