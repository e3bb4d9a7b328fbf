import { setTimeout as sleep } from 'node:timers/promises';
import { FrameIds } from '../src/commit/frame-id.js';
import { openAppender, openSource } from '../src/journal/open.js';
import { createCounts, ThreadCounts } from '../src/metrics/count.js';
import type { Frame } from '../src/model/frame.js';
import type { Appender } from '../src/model/journal.js';
import { loadOptions } from '../src/options/load.js';
import { ORDER } from './load.js';

/** Commits under way at once: as many as an intake thread has. */
const IN_FLIGHT_MAX = 8;
const OPEN_MS_MAX = 10_000;

export interface BacklogSize {
  readonly orders: number;
  readonly frameOrders: number;
}

/** Fills the journal that the flags name, through the code that intake fills it by. */
export async function fillBacklog(
  flags: readonly string[],
  { orders, frameOrders }: BacklogSize,
): Promise<void> {
  const options = loadOptions(['--spool-orders-max', '0', ...flags], {});
  const counts = createCounts(2);
  const [main, intake] = [new ThreadCounts(counts, 0), new ThreadCounts(counts, 1)];
  const ids = new FrameIds();
  const open = await openSource(options, {
    newFrameId: () => ids.next(Date.now()),
    acceptedOrders: () => 0,
    spooledOrders: () => 0,
    failedKeyRows: () => 0,
    counts: main,
    log: () => {},
    listen: null,
    claimFolder: async () => {},
  });
  try {
    await open.ready;
    const appender = await openAppender(options, null, intake, main);
    try {
      await whenWritable(appender);
      await append(appender, framesOf(orders, frameOrders, ids));
    } finally {
      await appender.close();
    }
  } finally {
    await open.close();
  }
}

async function whenWritable(appender: Appender): Promise<void> {
  const deadlineMs = performance.now() + OPEN_MS_MAX;
  while (!appender.writable) {
    if (performance.now() > deadlineMs) throw new Error(`no journal to fill: ${appender.reason}`);
    await sleep(20);
  }
}

async function append(appender: Appender, frames: Iterable<Frame>): Promise<void> {
  const underWay = new Set<Promise<unknown>>();
  for (const frame of frames) {
    const commit = appender.commit(frame).finally(() => underWay.delete(commit));
    underWay.add(commit);
    if (underWay.size >= IN_FLIGHT_MAX) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

function* framesOf(orders: number, frameOrders: number, ids: FrameIds): Generator<Frame> {
  const line = `${ORDER}\n`;
  const payload = Buffer.from(line.repeat(frameOrders));
  for (let left = orders; left > 0; left -= frameOrders) {
    const count = Math.min(left, frameOrders);
    const now = Date.now();
    yield {
      id: ids.next(now),
      count,
      payload: payload.subarray(0, count * line.length),
      acceptedAtMs: now,
      attempt: 1,
      notBeforeMs: 0,
      refiled: null,
      keys: [],
    };
  }
}
