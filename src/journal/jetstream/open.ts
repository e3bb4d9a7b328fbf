import type { FrameBounds } from '../../model/frame.js';
import type { Log } from '../../model/log.js';
import { LedgerReader } from '../ledger/ledger-reader.js';
import { openLedger } from '../ledger/open-ledger.js';
import { JetStreamConnection } from '../nats/connection.js';
import { declareJournal } from '../nats/declare.js';
import { jetStreamNames } from '../nats/names.js';
import { StreamSearch } from '../nats/stream-search.js';
import { Upkeep } from '../nats/upkeep.js';
import { GroupedWrites } from '../store/grouped-writes.js';
import { rememberKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { JetStreamAppender, type JetStreamAppenderBounds } from './appender.js';
import { JetStreamReceipts } from './receipts.js';
import { requireRoom } from './room.js';
import { settleAlone } from './settle-alone.js';
import { JetStreamSource, type JetStreamSourceParts } from './source.js';
import { WaitingFrames } from './waiting-frames.js';

export interface JetStreamPlace {
  /** NATS URLs of one server or cluster. */
  readonly servers: readonly string[];
  /** Name of the stream; subjects and consumers are named after it. */
  readonly stream: string;
  /** Servers that each keep every frame. */
  readonly replicas: number;
  /** How large the frames get that are appended. */
  readonly frames: FrameBounds;
}

export interface OpenJetStreamSource {
  readonly source: JetStreamSource;
  readonly connection: JetStreamConnection;
  readonly search: StreamSearch;
  /** Closes the source, then what it leaned on, but not the store. */
  readonly close: () => Promise<void>;
}

/** Both come up in the background: neither waits for the server, see `ready`. */
export function openJetStreamAppender(
  place: JetStreamPlace,
  bounds: JetStreamAppenderBounds,
  log: Log,
): JetStreamAppender {
  const names = jetStreamNames(place.stream);
  return new JetStreamAppender(connectionTo(place, 'forebay intake', log), names, bounds);
}

/**
 * @param store where this process keeps what it has read of the ledger, and keys
 * @param commitMsMax what a frame may take to become durable
 */
export function openJetStreamSource(
  place: JetStreamPlace,
  store: LocalStore,
  parts: Omit<JetStreamSourceParts, 'receipt' | 'rememberKeys' | 'settleAlone' | 'upkeep'>,
  commitMsMax: number,
): OpenJetStreamSource {
  const names = jetStreamNames(place.stream);
  const connection = connectionTo(place, 'forebay drain', parts.log);
  const upkeep = new Upkeep({
    connection,
    declare: (nc, onMade) => declareJournal(nc, names, place.replicas, onMade),
    log: parts.log,
  });
  const opened = openLedger(connection, names, store, upkeep, parts.log);
  const search = new StreamSearch(connection, names);
  const receipts = new JetStreamReceipts({
    store,
    connection,
    waiting: new WaitingFrames(search, commitMsMax),
    reader: new LedgerReader(opened.ledger),
    unsaved: opened.unsaved,
  });
  const alone = new GroupedWrites(store);
  const source = new JetStreamSource(connection, names, opened, {
    ...parts,
    upkeep,
    receipt: (frameId, index) => receipts.find(frameId, index),
    rememberKeys: (frame) => rememberKeys(store, frame),
    settleAlone: (end) => settleAlone(store, alone, end),
  });
  return {
    source,
    connection,
    search,
    close: async () => {
      await source.close();
      await opened.close();
    },
  };
}

function connectionTo(
  { servers, stream, replicas, frames }: JetStreamPlace,
  clientName: string,
  log: Log,
): JetStreamConnection {
  const names = jetStreamNames(stream);
  return new JetStreamConnection({
    servers,
    clientName,
    prepare: async (nc) => {
      requireRoom(nc, frames);
      await declareJournal(nc, names, replicas);
    },
    log,
  });
}
