import { type AdminConfig, AdminServer } from '../../src/admin/server.js';
import { memoryControl } from '../../src/journal/kept-control.js';
import { METRICS_TYPE } from '../../src/metrics/names.js';
import { optionsOf } from '../../src/options/load.js';
import type { Owner } from '../support/forebay.js';
import { CountingSource } from './live-source.js';

export const HOST = '127.0.0.1';

/** An admin server with nothing behind it. */
export function createAdmin(config: Partial<AdminConfig> = {}): AdminServer {
  return new AdminServer({
    refresh: async () => {},
    metrics: async () => 'up 1\n',
    metricsContentType: METRICS_TYPE,
    readiness: () => [],
    degraded: () => [],
    live: new CountingSource(),
    hosts: [],
    tokens: null,
    log: () => {},
    drain: {
      control: memoryControl(optionsOf({ drainRate: 60 }), () => {}).control,
      backlog: () => 120,
      doneAtMs: () => null,
      scheduled: () => null,
    },
    connectionsMax: 64,
    ...config,
  });
}

/** @returns its port */
export function listening(owner: Owner, config: Partial<AdminConfig> = {}): Promise<number> {
  const server = createAdmin(config);
  owner.after(() => server.close());
  return server.listen(HOST, 0);
}
