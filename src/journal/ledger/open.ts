import { randomBytes } from 'node:crypto';
import type { LeftOrders } from '../../model/left-orders.js';
import type { Log } from '../../model/log.js';
import { sealBytes, unsealBytes } from '../frame/checksum.js';
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

  /** The id of this process. */
  readonly self: string;
  readonly peers: LedgerPeers;
  /** A settled frame that is not in the store yet; null when there is none. */
  readonly unsaved: (frameId: string) => SettledFrame | null;
  /** Resolves when what was settled is durable in the store too, if the disk takes writes. */
  readonly close: () => Promise<void>;
}

/**
 * The ledger of the stream, read from the position that the store has.
 * @param left what the last process on this store has left, if it died
 */
export function openLedger(
  connection: JetStreamConnection,
  names: JetStreamNames,
  store: LocalStore,
  repair: StreamRepair,
  left: readonly LeftOrders[],
  log: Log,
): LedgerHandle {
  const self = processId(store);
  const runId = randomBytes(RUN_ID_BYTES).toString('base64url');
  const state = new LedgerState(store, self, runId, left);
  const peers = new LedgerPeers(connection, names, self, () => repair.reason !== '');
  const stream = new LedgerStream(connection, names, repair, log);
  const ledger = new Ledger({ self, runId, connection, stream, state, peers, log });
  return {
    ledger,
    lease: new LedgerLease(ledger, peers),

    self,
    peers,
    unsaved: (frameId) => state.unsaved(frameId),
    close: async () => {
      peers.close();
      await state.close();
    },
  };
}

const META_KEY = Buffer.from('process');
const ID_BYTES = 9;
const ID_CHARS = 12;

/**
 * An id for the process that owns this store. It stays the same after a restart, so that claims of an earlier run are
 * known to be its own. Becomes durable a moment later; if it is lost, those claims last until the lease expires.
 */
function processId(store: LocalStore): string {
  const found = store.meta.getBinary(META_KEY);
  const known = found === undefined ? null : idIn(found);
  if (known !== null) return known;
  const id = randomBytes(ID_BYTES).toString('base64url');
  store.write(() => store.meta.put(META_KEY, sealBytes(Buffer.from(id), META_KEY))).catch(() => {});
  return id;
}

/** Null when the row is not as it was written. */
function idIn(row: Buffer): string | null {
  try {
    return unsealBytes(row, META_KEY, ID_CHARS).toString();
  } catch {
    return null;
  }
}
