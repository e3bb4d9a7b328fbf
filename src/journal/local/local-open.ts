import { LOCAL_DURABILITY } from '../../model/durability.js';
import type { Options } from '../../model/options.js';
import type { OpenSource, SourceParts } from '../open-source.js';
import { forgetByAndBy } from './forgetting.js';
import { FrameLog } from './frame-log/frame-log.js';
import { retireSegments } from './frame-log/segment-files.js';
import { LocalAppender } from './local-appender.js';
import { LocalSource } from './local-source.js';
import { LocalStore } from './local-store.js';

/** For a journal that the source has opened before. @throws OperatorFault when it is not there */
export async function openLocalAppender(folder: string): Promise<LocalAppender> {
  const store = new LocalStore(folder, { mustExist: true });
  // Elsewhere a write that has come back need not be on the disk yet.
  if (process.platform !== 'linux') return new LocalAppender(store);
  const log = new FrameLog(folder, (bytes) => store.hasRoomFor(bytes));
  await log.prepared();
  return new LocalAppender(store, log);
}

/** @throws OperatorFault when the folder cannot be used */
export async function openLocalSource(options: Options, parts: SourceParts): Promise<OpenSource> {
  const store = new LocalStore(options.data);
  await parts.claimFolder();
  retireSegments(options.data);
  const stopForgetting = forgetByAndBy(store, {
    settledS: options.receiptsS,
    idempotencyS: options.idempotencyS,
  });
  const source = new LocalSource(store, { ...parts, ...options });
  return {
    source,
    onCommitted: () => source.ring(),
    ready: Promise.resolve(),
    durability: () => LOCAL_DURABILITY,
    close: async () => {
      stopForgetting();
      await source.close();
    },
    keys: (sinceMs) => source.keys(sinceMs),
  };
}
