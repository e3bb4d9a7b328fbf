import type { LiveFacts, LiveNow, LiveRow, LiveSource } from '../../src/model/live.js';
import type { LoggedEvent } from '../../src/model/log.js';

/** A source of rows without a server. Each row contains the number of rows before it. */
export class CountingSource implements LiveSource {
  taken = 0;
  /** What `events` returns. */
  logged: readonly LoggedEvent[] = [];
  /** Additional size of a row and of `now`, bytes. */
  readonly #padding: string;
  readonly facts: LiveFacts;

  constructor({ boot = 'boot', historyS = 900, paddingBytes = 0 } = {}) {
    this.#padding = 'x'.repeat(paddingBytes);
    this.facts = {
      boot,
      build: {
        version: '0.0.0',
        node: process.version,
        mode: 'queue',
        journal: 'local',
        path: '/orders',
        schema: '0123456789abcdef',
      },
      host: 'host',
      startedAtMs: 0,
      countedFromMs: 0,
      rpsLimit: 0,
      drains: true,
      spools: false,
      memoryBytesMax: 1,
      historyS,
      statuses: [200],
      threads: ['main'],
      bounds: {
        requestSeconds: [1],
        commitSeconds: [1],
        handlerSeconds: [1],
        orderAgeSeconds: [1],
        frameOrders: [1],
      },
    };
  }

  events(): readonly LoggedEvent[] {
    return this.logged;
  }

  take(): { row: LiveRow; now: LiveNow } {
    const row = { rps: this.taken, padding: this.#padding } as unknown as LiveRow;
    this.taken++;
    return { row, now: { done: this.taken } as unknown as LiveNow };
  }
}
