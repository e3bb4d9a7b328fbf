import { Worker } from 'node:worker_threads';

/** How a thread opens its appender. */
export type AppenderRequest =
  | { readonly journal: 'local'; readonly folder: string }
  | { readonly journal: 'jetstream'; readonly url: string; readonly stream: string };

/**
 * Resolves with the number of orders that the thread committed; the ids of its frames are added to
 * `committed`.
 */
export function appendInThread(
  request: AppenderRequest,
  frames: number,
  committed: Set<string>,
): Promise<number> {
  const thread = new Worker(new URL('./append-thread.js', import.meta.url), {
    workerData: { ...request, frames },
  });
  return new Promise((resolve, reject) => {
    let orders = 0;
    thread.on('message', ({ id, count }: { id: string; count: number }) => {
      committed.add(id);
      orders += count;
    });
    thread.on('error', reject);
    thread.on('exit', (code) => (code === 0 ? resolve(orders) : reject(new Error(`exit ${code}`))));
  });
}
