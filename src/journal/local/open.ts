import { COUNTER } from '../../metrics/count.js';
import {
  type DrainSetting,
  isOfFormerSchedule,
  settingAtStart,
} from '../../model/drain-control.js';
import { localDurability } from '../../model/durability.js';
import type { Log } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import { KeptControl } from '../kept-control.js';
import type { SourceHandle, SourceParts } from '../source-handle.js';
import { DiskUse } from '../store/disk-use.js';
import { drainSettingIn, putDrainSetting } from '../store/drain-row.js';
import { startExpiry } from '../store/expiry.js';
import { reportedFileSystem } from '../store/file-system.js';
import { openLeftRows } from '../store/left-rows.js';
import { LocalStore, prepareDataFolder } from '../store/local-store.js';
import { copyRefused, markOpen } from '../store/open-mark.js';
import { LocalAppender } from './appender.js';
import { FrameLog } from './frame-log.js';
import { markSegmentsFull } from './segment-files.js';
import { LocalSource, type LocalSourceParts } from './source.js';
import { watchUnreadable } from './unreadable.js';

/**
 * For a journal that the source has opened before.
 * @throws OperatorFault it does not exist
 */
export async function openLocalAppender(folder: string): Promise<LocalAppender> {
  const store = new LocalStore(folder, { mustExist: true });
  // On other systems, a completed write (O_DSYNC) need not be on the disk.
  if (process.platform !== 'linux') return new LocalAppender(store);
  const log = new FrameLog(folder, (bytes) => store.hasSpaceFor(bytes));
  await log.prepared();
  return new LocalAppender(store, log);
}

/** @throws OperatorFault the folder cannot be used; nothing is left open then */
export async function openLocalSource(options: Options, parts: SourceParts): Promise<SourceHandle> {
  prepareDataFolder(options.data);
  await parts.claimFolder();
  const store = new LocalStore(options.data);
  try {
    markOwned(store, options, parts.log);
    markSegmentsFull(options.data);
    return startLocalSource(store, options, {
      ...parts,
      leftNotes: openLeftRows(store, parts.left()),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Marks the folder as open.
 * @throws OperatorFault it is certainly a copy of an open folder, and such copies are not accepted
 */
export function markOwned(store: LocalStore, options: Options, log: Log): void {
  markOpen(store, (fault) => {
    if (fault.isCertain && !options.acceptCopy) throw copyRefused(store.folder, fault);
    const how = options.acceptCopy ? 'accepted by --accept-copy' : 'it is served';
    log('copy-accepted', `data folder ${store.folder}: ${fault.text}; ${how}`);
  });
}

function startLocalSource(
  store: LocalStore,
  options: Options,
  parts: SourceParts & Pick<LocalSourceParts, 'leftNotes'>,
): SourceHandle {
  const { counts } = parts;
  const source = new LocalSource(store, {
    ...parts,
    ...options,
    finishedOrders: () => counts.get(COUNTER.workDone) + counts.get(COUNTER.workError),
  });
  const horizons = { settledS: options.receiptsS, idempotencyS: options.idempotencyS };
  const stopExpiry = startExpiry(store, horizons, source.keptFrom);
  const watch = watchUnreadable(store, parts.log);
  const disk = new DiskUse(options.data);
  const durability = localDurability(reportedFileSystem(options.data, parts.log));
  const control = openControl(store, options, parts.log);
  return {
    source,
    control,
    allowance: control,
    onCommitted: () => source.wake(),
    ready: Promise.resolve(),
    durability: () => durability,
    unreadable: watch.counts,
    storage: () => {
      const { freeBytes, sizeBytes, filesBytes } = disk.read();
      return { freeBytes, sizeBytes, journalBytes: filesBytes };
    },
    close: async () => {
      stopExpiry();
      await watch.close();
      await source.close();
    },
    keys: (sinceMs) => source.keys(sinceMs),
  };
}

function openControl(store: LocalStore, options: Options, log: Log): KeptControl {
  const kept = keptSetting(store, log);
  // No other process can have a schedule for this journal.
  const isOver = kept !== null && isOfFormerSchedule(options, kept);
  return new KeptControl(settingAtStart(options, isOver ? null : kept, log), (setting) =>
    store.write(() => putDrainSetting(store.meta, setting)),
  );
}

function keptSetting(store: LocalStore, log: Log): DrainSetting | null {
  try {
    return drainSettingIn(store.meta);
  } catch (error) {
    log(
      'drain-setting-unreadable',
      `data folder ${store.folder}: the drain rate and pause that were set cannot be read: ${(error as Error).message}; fix: set them again with forebay drain`,
    );
    return null;
  }
}
