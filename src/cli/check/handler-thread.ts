import { Worker } from 'node:worker_threads';
import type { HandlerContext } from '../../model/order.js';
import type { HandlerFacts } from './handler.js';

/** What serve gives a handler to load; milliseconds. */
const LOAD_MS_MAX = 10_000;

/**
 * Loads a handler in a thread of its own, and ends that.
 *
 * @param entry file name of the compiled thread entry, which posts HandlerFacts
 * @param handler the file URL of an ES module
 */
export async function loadInThread(
  entry: string,
  handler: string,
  context: HandlerContext,
): Promise<HandlerFacts> {
  // What the module prints is not part of the report.
  const worker = new Worker(entry, {
    workerData: { handler, context },
    stdout: true,
    stderr: true,
  });
  const wrong = (why: string): HandlerFacts => ({ wrong: why, away: null, note: null });
  let deadline: NodeJS.Timeout | undefined;
  try {
    return await new Promise<HandlerFacts>((resolve) => {
      const late = wrong(`it did not load within ${LOAD_MS_MAX} ms`);
      deadline = setTimeout(resolve, LOAD_MS_MAX, late);
      worker.once('message', resolve);
      worker.once('error', (error) => resolve(wrong(`its thread ended: ${error.message}`)));
      worker.once('exit', (code) => resolve(wrong(`its thread ended with code ${code}`)));
    });
  } finally {
    clearTimeout(deadline);
    await worker.terminate();
  }
}
