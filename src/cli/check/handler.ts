import { Worker } from 'node:worker_threads';
import type { HandlerContext } from '../../model/order.js';
import { type Finding, fail, failAsGiven, ok } from './finding.js';

/** What came of loading a handler in a thread of its own. */
export interface HandlerFacts {
  /** Why serve could not start with it; null when it could. */
  readonly wrong: string | null;
  /** Why what it works for is away; null when it is there, or was not asked. */
  readonly away: string | null;
  /** What its own `check` has to say; null when it has none. */
  readonly note: string | null;
}

export function handlerFinding(handler: string, { wrong, away, note }: HandlerFacts): Finding {
  const about = 'handler';
  const facts = { handler, loads: wrong === null };
  if (wrong !== null) {
    return failAsGiven(about, `${handler}: ${wrong}`, 'see --handler, and docs on it', facts);
  }
  if (away !== null) {
    return fail(
      about,
      `${handler}: ${away}: serve would start, and orders would wait`,
      'see to what the handler works for',
      facts,
    );
  }
  return ok(about, `${handler} loads${note === null ? '' : `; ${note}`}`, facts);
}

/** `why` is that of serve: it names the handler. */
export function handlerMissing(why: string): Finding {
  return failAsGiven('handler', why, 'see --handler', { loads: false });
}

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
