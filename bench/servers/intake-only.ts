/** The intake from socket to frame and back, with a journal that stores nothing and acknowledges at the end of the turn. */
import { GroupCommit } from '../../src/commit/group-commit.js';
import { IdempotentIntake } from '../../src/idempotency/idempotent-intake.js';
import { createKeyTableMemory } from '../../src/idempotency/key-table-setup.js';
import { ReceiptQueries } from '../../src/intake/receipt-queries.js';
import { IntakeServer } from '../../src/intake/server.js';
import { monotonicNs } from '../../src/limit/clock.js';
import { RpsMeter } from '../../src/limit/meter.js';
import { KeyTable } from '../../src/memory/key-table.js';
import { createCounts, KeyCounts, ThreadCounts } from '../../src/metrics/count.js';
import type { Appender } from '../../src/model/journal.js';
import { loadOptions } from '../../src/options/load.js';
import { orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';
import { freePort } from '../../test/support/free-port.js';
import { loadEngine } from '../../workers/intake/engine.js';

const appender: Appender = {
  name: 'local',
  writable: true,
  reason: '',
  commit: () => new Promise((resolve) => setImmediate(() => resolve(null))),
  close: async () => {},
};

const options = loadOptions(['--idempotency-keys-max', '1000'], {});
const counts = new ThreadCounts(createCounts(1), 0);
const committer = new GroupCommit(appender, options, counts, () => {});
const receipts = new ReceiptQueries(() => {});
const { bodyBytesMax } = options;
const keyed = new IdempotentIntake({
  table: new KeyTable(createKeyTableMemory(options)),
  nowNs: monotonicNs,
  validator: openValidator(orderContract),
  committer,
  receipts,
  counts,
  keyIn: null,
  bodyBytesMax,
});
const parts = {
  validator: openValidator(orderContract),
  committer,
  keyed,
  receipts,
  counts,
  limiter: null,
  senders: { keys: null, signatures: null, keyCounts: new KeyCounts(KeyCounts.memory(1), 0) },
  meter: new RpsMeter(RpsMeter.memory()),
  options,
  tls: null,
  gate: { opened: () => true, closed: () => {}, open: 0, accepted: 0 },
};
const server = new IntakeServer(parts, await loadEngine('uws'));
const port = await freePort();
await server.listen({ at: { address: '127.0.0.1', port }, isShared: false });
console.log(`intake only ready: http://127.0.0.1:${port}`);
