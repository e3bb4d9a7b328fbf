import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JetStreamAppender } from '../../src/journal/jetstream/appender.js';
import { openJetStreamAppender, openJetStreamSource } from '../../src/journal/jetstream/open.js';
import type { JetStreamSource } from '../../src/journal/jetstream/source.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import type { DrainSetting } from '../../src/model/drain-control.js';
import type { Log } from '../../src/model/log.js';

export interface Place {
  readonly servers: readonly string[];
  readonly stream: string;
}

/** The frames that the options allow by default. */
export const FRAMES = { frameBytesMax: 262_144, frameOrdersMax: 1000 };

/** No limit. */
export const NO_SETTING: DrainSetting = {
  rate: 0,
  followsSchedule: false,
  pause: null,
  by: '--drain-rate',
  atMs: 0,
};

export interface SourceParts {
  readonly newFrameId: () => string;
  readonly acceptedOrders: () => number;
  readonly retryMsMax: number;
  readonly orphanedMsMin?: number;
  readonly log: Log;
}

/** An appender that retries as long as it may, as without a spool. */
export function appenderOf(place: Place, commitMsMax: number, log: Log): JetStreamAppender {
  return openJetStreamAppender(
    { ...place, replicas: 1, frames: FRAMES },
    { commitMsMax, retries: true },
    log,
  );
}

/**
 * The data folders of processes that drain a stream. A source opened again in the same folder is the same
 * process after a restart.
 */
const folders = new Map<string, string>();

process.on('exit', () => {
  for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true });
});

/** A source with a store of its own, which closes with it. */
export function sourceOf(place: Place, parts: SourceParts, who = 'one'): JetStreamSource {
  const key = `${place.servers} ${place.stream} ${who}`;
  const folder = folders.get(key) ?? mkdtempSync(join(tmpdir(), 'forebay-source-'));
  folders.set(key, folder);
  const store = new LocalStore(folder);
  const opened = openJetStreamSource(
    { ...place, replicas: 1, frames: FRAMES },
    store,
    { ...parts, closeMsMax: 2000, onForeign: () => {} },
    { commitMsMax: 1000, drainSetting: NO_SETTING },
  );
  const { source } = opened;
  const closeAlone = source.close.bind(source);
  source.close = async () => {
    source.close = closeAlone;
    await opened.close();
    await store.close();
  };
  return source;
}
