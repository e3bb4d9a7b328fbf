import { Worker } from 'node:worker_threads';
import type { HandlerContext } from '../../model/order.js';
import { type Finding, fail, failConfig, ok } from './finding.js';

/** The time limit of `serve` for loading a handler; milliseconds. */
const LOAD_MS_MAX = 10_000;

/** What came of loading a handler and running its `check`. */
export interface HandlerFacts {
  /** Why serve cannot start with this handler, in one line; null when it can. */
  readonly loadError: string | null;
  /** The handler reports an outage (`pause: true`): its message. Null otherwise. */
  readonly outage: string | null;
  /** What its `check` returned; null when it has none. */
  readonly note: string | null;
}

/**
 * Loads a handler in a thread of its own, and ends that thread.
 *
 * @param entry file name of the compiled thread entry, which posts HandlerFacts
 * @param handler the file URL of an ES module
 */
export async function loadInThread(
  entry: string,
  handler: string,
  context: HandlerContext,
): Promise<HandlerFacts> {
  const worker = new Worker(entry, {
    workerData: { handler, context },
    // What the module prints is not part of the report.
    stdout: true,
    stderr: true,
  });
  const failed = (loadError: string): HandlerFacts => ({ loadError, outage: null, note: null });
  let deadline: NodeJS.Timeout | undefined;
  try {
    return await new Promise<HandlerFacts>((resolve) => {
      const late = failed(`did not load within ${LOAD_MS_MAX} ms`);
      deadline = setTimeout(resolve, LOAD_MS_MAX, late);
      worker.once('message', resolve);
      worker.once('error', (error) => resolve(failed(`its thread ended: ${error.message}`)));
      worker.once('exit', (code) => resolve(failed(`its thread ended with code ${code}`)));
    });
  } finally {
    clearTimeout(deadline);
    await worker.terminate();
  }
}

export function handlerFinding(
  handler: string,
  { loadError, outage, note }: HandlerFacts,
): Finding {
  const about = 'handler';
  const facts = { handler, loads: loadError === null };
  if (loadError !== null) {
    const fix = 'correct the module, or choose another with --handler';
    return failConfig(about, `${handler}: ${loadError}`, fix, facts);
  }
  if (outage !== null) {
    const text = `${handler}: ${outage}: serve would start, and orders would wait`;
    return fail(about, text, 'restore the service that the handler uses', facts);
  }
  return ok(about, `${handler} loads${note === null ? '' : `; ${note}`}`, facts);
}

/** @param message that of serve: `handler <name>: <error>` */
export function handlerMissing(message: string): Finding {
  const text = message.replace(/^handler /, '');
  return failConfig('handler', text, 'correct the path given by --handler', { loads: false });
}
