import { performance } from 'node:perf_hooks';
import {
  type CountingGate,
  IntakeGate,
  type RefusedConnection,
} from '../../src/intake/connection-gate.js';
import { PeerConnections } from '../../src/intake/peer-connections.js';
import { GAUGE, type ThreadCounts, TotalCounts } from '../../src/metrics/count.js';
import type { IntakeReport, IntakeThreadData } from './protocol.js';

/** Shortest time between two reports of refused connections. */
const REPORT_MS_MIN = 1000;

/**
 * What bounds the connections of an intake thread.
 *
 * @param port where the thread listens
 */
export function openGate(
  data: IntakeThreadData,
  counts: ThreadCounts,
  port: () => number,
  report: (message: IntakeReport) => void,
): CountingGate {
  const { connectionsMax, intakeThreads, options } = data;
  const totals = new TotalCounts(data.counts);
  const open = () => totals.get(GAUGE.openConnections);
  const peers = new PeerConnections({
    connectionsMax: options.connectionsPerAddressMax,
    threads: intakeThreads,
    port,
  });
  let reportedMs = Number.NEGATIVE_INFINITY;
  const onRefused = (limit: RefusedConnection) => {
    const nowMs = performance.now();
    if (nowMs - reportedMs < REPORT_MS_MIN) return;
    reportedMs = nowMs;
    report({ type: 'refused', limit, open: open() });
  };
  const hasTooMany = options.connectionsPerAddressMax > 0 ? peers.hasTooMany : null;
  return new IntakeGate({ counts, open, connectionsMax, hasTooMany, onRefused });
}
