import { setTimeout as sleep } from 'node:timers/promises';
import { COUNTER, GAUGE, type ThreadCounts } from '../../metrics/count.js';
import {
  BY_OPTION,
  type DrainControl,
  type DrainSetting,
  settingAtStart,
} from '../../model/drain-control.js';
import type { Appender } from '../../model/journal.js';
import type { Log } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import { KeyRecovery } from '../jetstream/key-recovery.js';
import {
  type JetStreamTarget,
  openJetStreamAppender,
  openJetStreamSource,
} from '../jetstream/open.js';
import { LocalAppender } from '../local/appender.js';
import { markOwned } from '../local/open.js';
import { markSegmentsFull } from '../local/segment-files.js';
import { LocalSource } from '../local/source.js';
import { watchUnreadable } from '../local/unreadable.js';
import { filesOf } from '../nats/access-files.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { LEDGER_AGE_MS_MAX } from '../nats/declarations.js';
import { JetStreamDurability } from '../nats/durability.js';
import { type JetStreamNames, jetStreamNames } from '../nats/names.js';
import type { SourceHandle, SourceParts } from '../source-handle.js';
import { DiskUse } from '../store/disk-use.js';
import { startExpiry } from '../store/expiry.js';
import { reportedFileSystem } from '../store/file-system.js';
import { storeKeys } from '../store/idempotency-rows.js';
import { openLeftRows } from '../store/left-rows.js';
import { LocalStore, prepareDataFolder } from '../store/local-store.js';
import { FailoverAppender } from './failover-appender.js';
import { Forwarder } from './forwarder.js';
import { nextSpooledDeadLetters, SpooledFrames } from './rows.js';
import { SpooledSource } from './source.js';

/** How far the count of spooled orders may lag behind, for those who enforce its bound. */
const SPOOL_GAUGE_MS = 100;
const READY_MS_MAX = 2000;
/** The share of the shutdown time that is spent on waiting for NATS at the end; the drain has had half of it. */
const CLOSE_SHARE = 0.2;

/** For one intake thread: JetStream, with a spool in the data folder for when it does not answer. */
export function openSpooledAppender(
  options: Options,
  counts: ThreadCounts,
  mainCounts: ThreadCounts,
): Appender {
  const hasSpool = options.spoolOrdersMax > 0;
  const bounds = {
    // Half, so that the spool has the other half before the client gives up.
    commitMsMax: hasSpool ? options.commitMsMax / 2 : options.commitMsMax,
    retries: !hasSpool,
  };
  // The source in the drain thread has a connection to the same servers and reports their faults; one more line per
  // thread would not help the operator.
  const primary = openJetStreamAppender(targetOf(options), bounds, () => {});
  if (!hasSpool) return primary;
  const store = new LocalStore(options.data, { mustExist: true });
  return new FailoverAppender({
    primary,
    spool: new LocalAppender(store),
    storeKeys: (frame) =>
      void storeKeys(store, frame).catch(() => counts.add(COUNTER.keyRowsFailed)),
    counts,
    spooledOrders: () => mainCounts.get(GAUGE.spoolOrders),
    spooledOrdersMax: options.spoolOrdersMax,
  });
}

/**
 * The same, as the drain reads it.
 * @throws OperatorFault the folder or a NATS URL cannot be used; nothing is left open then
 */
export async function openSpooledSource(
  options: Options,
  parts: SourceParts,
): Promise<SourceHandle> {
  prepareDataFolder(options.data);
  await parts.claimFolder();
  const store = new LocalStore(options.data);
  let spool: LocalSource | null = null;
  try {
    markOwned(store, options, parts.log);
    // Left by a run without NATS, if any.
    markSegmentsFull(options.data);
    spool = new LocalSource(store, {
      ...parts,
      acceptedOrders: parts.spooledOrders,
      requestWake: null,
      retryMsMax: options.retryMsMax,
      hasNoLog: true,
    });
    const left = openLeftRows(store, parts.left()).all();
    return startSpooledSource(store, spool, options, { ...parts, left: () => left });
  } catch (error) {
    // The spool closes the store too.
    await (spool ?? store).close();
    throw error;
  }
}

function startSpooledSource(
  store: LocalStore,
  spool: LocalSource,
  options: Options,
  parts: SourceParts,
): SourceHandle {
  const { counts, log } = parts;
  const primary = openPrimary(options, store, parts);
  const { connection, search } = primary;
  const forwarding = openForwarding(store, spool, connection, {
    names: jetStreamNames(options.natsStream),
    rate: options.spoolRate,
    onForwarded: (orders) => counts.add(COUNTER.ordersForwarded, orders),
    log,
  });
  const durability = openDurability(options, connection, log);
  const keyRecovery = new KeyRecovery(store, connection, search, parts, log);
  const stopExpiry = startExpiry(store, {
    settledS: Math.max(options.receiptsS, LEDGER_AGE_MS_MAX / 1000),
    idempotencyS: options.idempotencyS,
  });
  const watch = watchUnreadable(store, log);
  const disk = new DiskUse(options.data);
  reportedFileSystem(options.data, log);
  const gauge = setInterval(() => {
    counts.set(GAUGE.spoolOrders, spool.pendingOrders());
    counts.set(GAUGE.spoolUnfitOrders, forwarding.frames.unfitOrders);
  }, SPOOL_GAUGE_MS);
  const source = new SpooledSource({
    primary: primary.source,
    closePrimary: primary.close,
    closeForwarders: forwarding.close,
    spool,
    spoolReason: forwarding.reason,
    controlReason: () => primary.control.reason,
  });
  const ready = readyOrSpooling(primary.source.ready, log);
  // Awaited when everything else has started; until then its failure must not count as unhandled.
  ready.catch(() => {});
  return {
    source,
    control: primary.control,
    allowance: primary.control.allowance,
    onCommitted: null,
    ready,
    durability: () => durability.found,
    unreadable: watch.counts,
    storage: () => {
      const { freeBytes, sizeBytes } = disk.read();
      return { freeBytes, sizeBytes, journalBytes: primary.source.storedBytes() };
    },
    close: async () => {
      clearInterval(gauge);
      await watch.close();
      durability.close();
      keyRecovery.close();
      stopExpiry();
      await source.close();
    },
    keys: (sinceMs) => keyRecovery.keys(sinceMs),
  };
}

function openPrimary(options: Options, store: LocalStore, parts: SourceParts) {
  const { counts, acceptedOrders, spooledOrders } = parts;
  const forwardedOrders = () => counts.get(COUNTER.ordersForwarded);
  const sourceParts = {
    ...parts,
    retryMsMax: options.retryMsMax,
    finishedOrders: () => counts.get(COUNTER.workDone) + counts.get(COUNTER.workError),
    onForeign: () => counts.add(COUNTER.foreignMessages),
    closeMsMax: options.shutdownMsMax * CLOSE_SHARE,
    acceptedOrders: () => acceptedOrders() - spooledOrders() + forwardedOrders(),
  };
  const opened = openJetStreamSource(targetOf(options), store, sourceParts, {
    commitMsMax: options.commitMsMax,
    left: parts.left(),
    drainSetting: settingAtStart(options, null, parts.log),
    onKept: (kept) => void keepsSetting(opened.control, options, kept, parts.log),
  });
  return opened;
}

/** What an earlier start has set gives way to the options of this one; what an operator has set does not. */
async function keepsSetting(
  control: DrainControl,
  options: Options,
  kept: DrainSetting,
  log: Log,
): Promise<void> {
  const { drainRate: rate, drainSchedule } = options;
  // An instance without the option does not end it for the others.
  const begins = drainSchedule !== '' && !kept.followsSchedule;
  const isOther = rate !== 0 && rate !== kept.rate && !kept.followsSchedule;
  if (kept.by !== BY_OPTION || !(begins || isOther)) {
    settingAtStart(options, kept, log);
    return;
  }
  const change = begins ? { followsSchedule: true } : { rate };
  // If it fails, the log says what is in force.
  await control
    .change({ ...change, by: BY_OPTION })
    .catch(() => settingAtStart(options, kept, log));
}

function openDurability(
  options: Options,
  connection: JetStreamConnection,
  log: Log,
): JetStreamDurability {
  return new JetStreamDurability({
    connection,
    stream: options.natsStream,
    servers: options.nats,
    monitors: options.natsMonitor,
    log,
  });
}

interface ForwardingParts {
  readonly names: JetStreamNames;
  readonly rate: number;
  readonly onForwarded: (orders: number) => void;
  readonly log: Log;
}

/** Starts to forward the frames and the dead letters in the data folder, each kind by itself. */
function openForwarding(
  store: LocalStore,
  spool: LocalSource,
  connection: JetStreamConnection,
  { names, rate, onForwarded, log }: ForwardingParts,
) {
  const frames = new SpooledFrames({ spool, connection, names, onForwarded, log });
  const [spooled, letters] = [
    new Forwarder({
      connection,
      next: (framesMax, signal) => frames.next(framesMax, signal),
      rate,
      onFailure: (reason) => log('spool-waits', `the spool waits: ${reason}`),
    }),
    new Forwarder({
      connection,
      next: () => nextSpooledDeadLetters(store, names),
      rate: 0,
      onFailure: (reason) => log('dead-letters-wait', `dead letters wait: ${reason}`),
    }),
  ];
  return {
    frames,
    reason: () =>
      frames.reason ||
      withPrefix('the spool waits', spooled.reason) ||
      withPrefix('dead letters wait', letters.reason),
    close: async () => {
      frames.close();
      await Promise.all([spooled.close(), letters.close()]);
    },
  };
}

function withPrefix(prefix: string, reason: string): string {
  return reason === '' ? '' : `${prefix}: ${reason}`;
}

/**
 * A start does not wait long for NATS, because the spool takes orders.
 * @throws OperatorFault what exists on the server has other settings
 */
async function readyOrSpooling(ready: Promise<void>, log: Log): Promise<void> {
  const late = sleep(READY_MS_MAX, 'late', { ref: false });
  if ((await Promise.race([ready, late])) !== 'late') return;
  log('spooling', 'NATS has not answered: orders go to the spool until it does');
}

function targetOf(options: Options): JetStreamTarget {
  return {
    servers: options.nats,
    files: filesOf(options),
    drains: options.drain,
    stream: options.natsStream,
    replicas: options.natsReplicas,
    frames: options,
  };
}
