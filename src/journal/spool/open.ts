import { setTimeout as sleep } from 'node:timers/promises';
import { COUNTER, GAUGE, type ThreadCounts } from '../../metrics/count.js';
import type { Appender } from '../../model/journal.js';
import type { Log } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import { KeyIndex } from '../jetstream/idempotency-index.js';
import {
  type JetStreamPlace,
  openJetStreamAppender,
  openJetStreamSource,
} from '../jetstream/open.js';
import { LocalAppender } from '../local/appender.js';
import { markSegmentsFull } from '../local/segment-files.js';
import { LocalSource } from '../local/source.js';
import { LEDGER_AGE_MS_MAX } from '../nats/declare.js';
import { JetStreamDurability } from '../nats/durability.js';
import { jetStreamNames } from '../nats/names.js';
import type { SourceHandle, SourceParts } from '../source-handle.js';
import { startExpiry } from '../store/expiry.js';
import { rememberKeys } from '../store/idempotency-rows.js';
import { LocalStore } from '../store/local-store.js';
import { DeadLetterForwarder } from './dead-letter-forwarder.js';
import { FailoverAppender } from './failover-appender.js';
import { SpoolForwarder } from './forwarder.js';
import { SpooledSource } from './source.js';

/** How far the count of what is in the spool may lag behind, for those who hold its bound. */
const SPOOL_GAUGE_MS = 100;
const READY_MS_MAX = 2000;
/** Of the time that a stop may take, the most that is spent on waiting for NATS at its end; the drain has had half. */
const CLOSE_SHARE = 0.2;

/** JetStream, with a spool in the data folder for when it does not answer, for one intake thread. */
export function openSpooledAppender(
  options: Options,
  counts: ThreadCounts,
  mainCounts: ThreadCounts,
): Appender {
  const hasSpool = options.spoolOrdersMax > 0;
  const bounds = {
    // Half, so that the spool has the other half before the client's time is up.
    commitMsMax: hasSpool ? options.commitMsMax / 2 : options.commitMsMax,
    triesAgain: !hasSpool,
  };
  // The source in the main thread has a connection to the same servers and reports their faults;
  // one line for each thread more would tell the operator nothing.
  const primary = openJetStreamAppender(placeOf(options), bounds, () => {});
  if (!hasSpool) return primary;
  const store = new LocalStore(options.data, { mustExist: true });
  return new FailoverAppender({
    primary,
    spool: new LocalAppender(store),
    rememberKeys: (frame) =>
      void rememberKeys(store, frame).catch(() => counts.add(COUNTER.keyRowsFailed)),
    counts,
    spooledOrders: () => mainCounts.get(GAUGE.spoolOrders),
    spooledOrdersMax: options.spoolOrdersMax,
  });
}

/** The same, as the drain reads it. */
export async function openSpooledSource(
  options: Options,
  parts: SourceParts,
): Promise<SourceHandle> {
  const { counts, log } = parts;
  const names = jetStreamNames(options.natsStream);
  const store = new LocalStore(options.data);
  await parts.claimFolder();
  // Left by a run without NATS, if any.
  markSegmentsFull(options.data);
  const { retryMsMax } = options;
  const spool = new LocalSource(store, {
    ...parts,
    acceptedOrders: parts.spooledOrders,
    retryMsMax,
  });
  const forwardedOrders = () => counts.get(COUNTER.ordersForwarded);
  const primaryParts = {
    ...parts,
    retryMsMax,
    onForeign: () => counts.add(COUNTER.foreignMessages),
    closeMsMax: options.shutdownMsMax * CLOSE_SHARE,
    acceptedOrders: () => parts.acceptedOrders() - parts.spooledOrders() + forwardedOrders(),
  };
  const primary = openJetStreamSource(placeOf(options), store, primaryParts, options.commitMsMax);
  const { connection, search } = primary;
  const forwarder = new SpoolForwarder({
    spool,
    connection,
    names,
    rate: options.spoolRate,
    onForwarded: (orders) => counts.add(COUNTER.ordersForwarded, orders),
    log,
  });
  const deadLetters = new DeadLetterForwarder({ store, connection, names, log });
  const durability = new JetStreamDurability({
    connection,
    stream: names.stream,
    servers: options.nats,
    monitors: options.natsMonitor,
    log,
  });
  const keyIndex = new KeyIndex(store, connection, search, parts, log);
  const stopExpiry = startExpiry(store, {
    settledS: Math.max(options.receiptsS, LEDGER_AGE_MS_MAX / 1000),
    idempotencyS: options.idempotencyS,
  });
  const gauge = setInterval(() => {
    counts.set(GAUGE.spoolOrders, spool.pendingOrders());
    counts.set(GAUGE.spoolUnfitOrders, forwarder.unfitOrders);
  }, SPOOL_GAUGE_MS);
  const source = new SpooledSource({
    primary: primary.source,
    closePrimary: primary.close,
    closeForwarders: () => Promise.all([forwarder.close(), deadLetters.close()]),
    spool,
    spoolReason: () => forwarder.reason,
  });
  const ready = readyOrSpooling(primary.source.ready, log);
  // Awaited when all else has started; until then its failure must not count as unhandled.
  ready.catch(() => {});
  forwarder.start();
  deadLetters.start();
  return {
    source,
    onCommitted: null,
    ready,
    durability: () => durability.found,
    close: async () => {
      clearInterval(gauge);
      durability.close();
      keyIndex.close();
      stopExpiry();
      await source.close();
    },
    keys: (sinceMs) => keyIndex.keys(sinceMs),
  };
}

/** A start does not wait long for NATS: the spool takes orders. @throws OperatorFault what is declared there differs */
async function readyOrSpooling(ready: Promise<void>, log: Log): Promise<void> {
  const late = sleep(READY_MS_MAX, 'late', { ref: false });
  if ((await Promise.race([ready, late])) !== 'late') return;
  log('spooling', 'NATS has not answered: orders go to the spool until it does');
}

function placeOf(options: Options): JetStreamPlace {
  return {
    servers: options.nats,
    stream: options.natsStream,
    replicas: options.natsReplicas,
    frames: options,
  };
}
