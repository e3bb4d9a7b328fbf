import type { NatsConnection } from '@nats-io/transport-node';
import type { DrainSetting } from '../../model/drain-control.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { type FrameBounds, messageBytesMax } from '../../model/frame.js';
import type { LeftOrders } from '../../model/left-orders.js';
import type { Log } from '../../model/log.js';
import type { NatsFiles } from '../../model/options.js';
import { RegisterStream } from '../control/register-stream.js';
import { SharedControl, type SharedControlParts } from '../control/shared-control.js';
import { openLedger } from '../ledger/open.js';
import { JetStreamConnection } from '../nats/connection.js';
import { declarations } from '../nats/declarations.js';
import { declareJournal } from '../nats/declare.js';
import { jetStreamNames } from '../nats/names.js';
import { requirePermissions } from '../nats/permissions.js';
import { SettingsWatch } from '../nats/settings-watch.js';
import { StreamRepair } from '../nats/stream-repair.js';
import { StreamSearch } from '../nats/stream-search.js';
import { GroupedWrites } from '../store/grouped-writes.js';
import { storeKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { JetStreamAppender, type JetStreamAppenderBounds } from './appender.js';
import { FrameLookup } from './frame-lookup.js';
import { PlaceInLine } from './place-in-line.js';
import { JetStreamReceipts } from './receipts.js';
import { settleLocally } from './settlement.js';
import { JetStreamSource, type JetStreamSourceParts } from './source.js';

export interface JetStreamTarget {
  /** NATS URLs of one server or cluster. */
  readonly servers: readonly string[];
  /** Certificates and credentials; default: none. */
  readonly files?: NatsFiles;
  /** Name of the stream; subjects and consumers are named after it. */
  readonly stream: string;
  /** Number of servers that store every frame. */
  readonly replicas: number;
  /** Whether this process processes orders; default: true. */
  readonly drains?: boolean;
  /** Bounds of the frames that are appended. */
  readonly frames: FrameBounds;
}

export interface JetStreamSourceHandle {
  readonly source: JetStreamSource;
  readonly connection: JetStreamConnection;
  readonly search: StreamSearch;
  readonly control: SharedControl;
  /** Closes the source and everything that it uses, except the store. */
  readonly close: () => Promise<void>;
}

/** Connects in the background: does not wait for the server, see `ready`. */
export function openJetStreamAppender(
  target: JetStreamTarget,
  bounds: JetStreamAppenderBounds,
  log: Log,
): JetStreamAppender {
  const names = jetStreamNames(target.stream);
  return new JetStreamAppender(connectionTo(target, 'forebay intake', log), names, bounds);
}

export interface OpenedWith {
  /** The longest that a frame takes to become durable. */
  readonly commitMsMax: number;
  /** What the last process on the store has left, if it died; nothing by default. */
  readonly left?: readonly LeftOrders[];
  /** The setting of the drain if none is kept. */
  readonly drainSetting: DrainSetting;
  /** Called with the setting that is kept, once it is known; nothing by default. */
  readonly onKept?: SharedControlParts['onKept'];
}

/**
 * Connects in the background, like the appender.
 * @param store stores what this process has read of the ledger, and keys
 */
export function openJetStreamSource(
  target: JetStreamTarget,
  store: LocalStore,
  parts: Omit<
    JetStreamSourceParts,
    'receipt' | 'ordersAhead' | 'storeKeys' | 'settleLocally' | 'repair' | 'watch'
  >,
  { commitMsMax, left = [], drainSetting, onKept = () => {} }: OpenedWith,
): JetStreamSourceHandle {
  const names = jetStreamNames(target.stream);
  const connection = connectionTo(target, 'forebay drain', parts.log, (nc) =>
    requirePermissions(nc, names, target.drains ?? true),
  );
  const wanted = declarations(names, target.frames);
  const repair = new StreamRepair({
    connection,
    declare: (nc, onCreated) => declareJournal(nc, wanted, target.replicas, onCreated),
    log: parts.log,
  });
  const watch = new SettingsWatch({
    connection,
    wanted,
    replicas: target.replicas,
    log: parts.log,
  });
  const opened = openLedger(connection, names, store, repair, left, parts.log);
  const control = new SharedControl({
    id: opened.self,
    connection,
    stream: new RegisterStream(connection, names, repair, parts.log),
    peers: opened.peers,
    drains: target.drains ?? true,
    replicas: target.replicas,
    first: drainSetting,
    onKept,
    log: parts.log,
  });
  const search = new StreamSearch(connection, names);
  const receipts = new JetStreamReceipts({
    store,
    connection,
    waiting: new FrameLookup(search, commitMsMax),
    place: new PlaceInLine(connection, names),
    ledger: opened.ledger,
    unsaved: opened.unsaved,
  });
  const localWrites = new GroupedWrites(store);
  const source = new JetStreamSource(connection, names, opened, {
    ...parts,
    repair,
    watch,
    receipt: (frameId, index) => receipts.find(frameId, index),
    ordersAhead: (frameId, index) => receipts.ordersAhead(frameId, index),
    storeKeys: (frame) => storeKeys(store, frame),
    settleLocally: (end) => settleLocally(store, localWrites, end),
  });
  return {
    source,
    connection,
    search,
    control,
    close: async () => {
      await control.close();
      await source.close();
      await opened.close();
    },
  };
}

function connectionTo(
  { servers, files, stream, replicas, frames }: JetStreamTarget,
  clientName: string,
  log: Log,
  inspect: (nc: NatsConnection) => Promise<void> = async () => {},
): JetStreamConnection {
  const wanted = declarations(jetStreamNames(stream), frames);
  return new JetStreamConnection({
    servers,
    ...(files === undefined ? {} : { files }),
    clientName,
    prepare: async (nc) => {
      await inspect(nc);
      requireMessageSize(nc, frames);
      await declareJournal(nc, wanted, replicas);
    },
    log,
  });
}

/**
 * Checks that the server takes messages as large as a frame may get: otherwise it would refuse such a frame every
 * time.
 * @throws OperatorFault the server's limit is too low
 */
function requireMessageSize({ info }: NatsConnection, frames: FrameBounds): void {
  const takes = info?.max_payload ?? Number.POSITIVE_INFINITY;
  const needs = messageBytesMax(frames);
  if (takes >= needs) return;
  throw new OperatorFault(
    `NATS takes messages of ${takes} bytes (max_payload), but with --frame-bytes-max ${frames.frameBytesMax} a frame can take ${needs}: lower --frame-bytes-max, and --body-bytes-max below it, or raise max_payload`,
    EXIT.usage,
  );
}
