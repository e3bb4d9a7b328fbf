// Commits frames, delivers and settles them by chance, until it is killed. Prints what it does, before and after.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../drills/ledger/random.js';
import { openLocalAppender } from '../../src/journal/local/open.js';
import { markSegmentsFull } from '../../src/journal/local/segment-files.js';
import { type LocalDelivery, LocalSource } from '../../src/journal/local/source.js';
import { startExpiry } from '../../src/journal/store/expiry.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { type Frame, orderId } from '../../src/model/frame.js';
import { fresh, newFrameId } from './frames.js';

const folder = process.argv[2]!;
const random = new Random(Number(process.argv[3]));

/** What takes seconds and minutes, such as when frames leave the log, takes milliseconds. */
const FASTER = 200;
const realNow = performance.now.bind(performance);
performance.now = () => realNow() * FASTER;

/** Of rows that say that a frame was settled. */
const EXPIRY_MS = 20;
/** Orders of up to this size, so that segments are full soon. */
const PADDING_MAX = 200_000;
const LANES = 6;

function say(what: string, ids: readonly string[]): void {
  writeSync(1, `${what} ${ids.join(' ')}\n`);
}

function idsOf(frame: Frame): string[] {
  return Array.from({ length: frame.count }, (_, i) => orderId(frame, i));
}

function someFrame(): Frame {
  const frame = fresh(1 + random.below(5));
  const padding = Buffer.alloc(random.below(random.once(3) ? PADDING_MAX : 100), 'x');
  const payload = Buffer.concat([Buffer.from('"'), padding, Buffer.from('" '), frame.payload]);
  const keys = random.once(4) ? [{ position: 0, key: frame.id, digest: '0123456789abcdef' }] : [];
  return { ...frame, payload, keys };
}

markSegmentsFull(folder);
const store = new LocalStore(folder);
const source = new LocalSource(store, {
  newFrameId,
  acceptedOrders: () => 0,
  retryMsMax: 60_000,
  lookAheadFrames: 32,
  log: console.error,
});
expireOften(() => startExpiry(store, { settledS: 0, idempotencyS: 3600 }, source.keptFrom));
const appender = await openLocalAppender(folder);
say('ready', []);

function expireOften(start: () => void): void {
  const every = globalThis.setInterval;
  globalThis.setInterval = ((work: () => void) => every(work, EXPIRY_MS)) as typeof setInterval;
  start();
  globalThis.setInterval = every;
}

async function commitForEver(): Promise<void> {
  for (;;) {
    const frame = someFrame();
    say('commits', idsOf(frame));
    await appender.commit(frame);
    say('committed', idsOf(frame));
    await sleep(random.below(4));
    source.wake();
  }
}

async function drainForEver(): Promise<void> {
  for (;;) {
    const found = await source.pull(1 + random.below(8), new AbortController().signal);
    await sleep(random.below(4));
    for (const delivery of found) void end(delivery);
  }
}

async function end(delivery: LocalDelivery): Promise<void> {
  const { frame } = delivery;
  // Some stay for long, so that segments are kept, and left, with a few frames.
  await sleep(random.once(20) ? random.below(500) : random.below(10));
  if (random.once(6)) {
    delivery.release();
    return;
  }
  const positions = Array.from({ length: frame.count }, (_, i) => i);
  const again = positions.filter(() => random.once(5));
  const done = positions.filter((p) => !again.includes(p)).map((p) => orderId(frame, p));
  const refile = again.length === 0 ? [] : [{ positions: again, attempt: 2, notBeforeMs: 0 }];
  say('settles', done);
  await delivery.settle({ refile, dead: [] });
  say('settled', done);
}

await Promise.all([drainForEver(), ...Array.from({ length: LANES }, commitForEver)]);
