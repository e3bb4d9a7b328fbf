import { parentPort, workerData } from 'node:worker_threads';
import { openLocalAppender } from '../../src/journal/local/open.js';
import type { Appender } from '../../src/model/journal.js';
import type { AppenderRequest } from './append-in-thread.js';
import { fresh } from './frames.js';
import { appenderOf } from './jetstream-opened.js';

/** The most that an intake thread has under way. */
const IN_FLIGHT_MAX = 8;

const request = workerData as AppenderRequest & { readonly frames: number };
const appender = await open(request);
let left = request.frames;
await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, commitSome));
await appender.close();

async function commitSome(): Promise<void> {
  while (left-- > 0) {
    const frame = fresh(1 + (left % 5));
    await appender.commit(frame);
    parentPort!.postMessage({ id: frame.id, count: frame.count });
  }
}

async function open(asked: AppenderRequest): Promise<Appender> {
  if (asked.journal === 'local') return openLocalAppender(asked.folder);
  const place = { servers: [asked.url], stream: asked.stream };
  const jetstream = appenderOf(place, 10_000, () => {});
  await jetstream.ready;
  return jetstream;
}
