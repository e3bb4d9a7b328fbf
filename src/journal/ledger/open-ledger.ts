import { randomBytes } from 'node:crypto';
import type { Log } from '../../model/log.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { JetStreamNames } from '../nats/names.js';
import type { Upkeep } from '../nats/upkeep.js';
import type { LocalStore } from '../store/local-store.js';
import { processId } from '../store/process-id.js';
import type { SettledFrame } from '../store/receipts-table.js';
import { Ledger } from './ledger.js';
import { LedgerLease } from './ledger-lease.js';
import { LedgerLog } from './ledger-log.js';
import { LedgerPeers } from './ledger-peers.js';
import { LedgerState } from './ledger-state.js';

const LIFE_BYTES = 6;

export interface OpenLedger {
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
  upkeep: Upkeep,
  tell: Log,
): OpenLedger {
  const self = processId(store);
  const life = randomBytes(LIFE_BYTES).toString('base64url');
  const state = new LedgerState(store, self, life);
  const peers = new LedgerPeers(connection, names, self);
  const log = new LedgerLog(connection, names, upkeep);
  const ledger = new Ledger({ self, life, connection, log, state, peers, tell });
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
