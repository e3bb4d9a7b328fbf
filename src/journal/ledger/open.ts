import { randomBytes } from 'node:crypto';
import type { Log } from '../../model/log.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { JetStreamNames } from '../nats/names.js';
import type { StreamRepair } from '../nats/stream-repair.js';
import type { LocalStore } from '../store/local-store.js';
import type { SettledFrame } from '../store/receipt-rows.js';
import { LedgerLease } from './lease.js';
import { Ledger } from './ledger.js';
import { LedgerPeers } from './peers.js';
import { LedgerState } from './state.js';
import { LedgerStream } from './stream.js';

const RUN_ID_BYTES = 6;

export interface LedgerHandle {
  readonly ledger: Ledger;
  readonly lease: LedgerLease;
  /** The end of a frame that is known and not in the store yet; null when there is none such. */
  readonly unsaved: (frameId: string) => SettledFrame | null;
  /** Resolves when what was settled is durable in the store too, if that takes writes. */
  readonly close: () => Promise<void>;
}

/** The ledger of the stream, read on from where the store says that this process has come to. */
export function openLedger(
  connection: JetStreamConnection,
  names: JetStreamNames,
  store: LocalStore,
  repair: StreamRepair,
  log: Log,
): LedgerHandle {
  const self = processId(store);
  const runId = randomBytes(RUN_ID_BYTES).toString('base64url');
  const state = new LedgerState(store, self, runId);
  const peers = new LedgerPeers(connection, names, self);
  const stream = new LedgerStream(connection, names, repair);
  const ledger = new Ledger({ self, runId, connection, stream, state, peers, log });
  return {
    ledger,
    lease: new LedgerLease(ledger, peers),
    unsaved: (frameId) => state.unsaved(frameId),
    close: async () => {
      peers.close();
      await state.close();
    },
  };
}

const META_KEY = Buffer.from('process');
const ID_BYTES = 9;

/**
 * A name for the process that owns this store, the same after a restart, so that what it had in hand in an
 * earlier runId is known to be its own. It is durable before long, and who forgets it loses a lease's time.
 */
function processId(store: LocalStore): string {
  const found = store.meta.getBinary(META_KEY);
  if (found !== undefined) return found.toString();
  const id = randomBytes(ID_BYTES).toString('base64url');
  store.write(() => store.meta.put(META_KEY, Buffer.from(id))).catch(() => {});
  return id;
}
