import { Worker } from 'node:worker_threads';
import {
  endedText,
  exitText,
  handlerExecArgv,
  LOADED,
  lateText,
  untilLoadIsLate,
} from '../../drain/handler-thread.js';
import type { HandlerContext } from '../../model/order.js';
import { type Finding, fail, failConfig, ok } from './finding.js';

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
  const execArgv = handlerExecArgv(handler);
  const worker = new Worker(entry, {
    workerData: { handler, context },
    ...(execArgv === undefined ? {} : { execArgv }),
    // What the module prints is not part of the report.
    stdout: true,
    stderr: true,
  });
  const failed = (loadError: string): HandlerFacts => ({ loadError, outage: null, note: null });
  try {
    return await new Promise<HandlerFacts>((resolve) => {
      let isLoaded = false;
      const late = () => resolve(failed(lateText(isLoaded ? 'check' : null)));
      void untilLoadIsLate().then(late);
      worker.on('message', (message: HandlerFacts | typeof LOADED) => {
        if (message === LOADED) isLoaded = true;
        else resolve(message);
      });
      worker.once('error', (error) => resolve(failed(endedText(error))));
      worker.once('exit', (code) => resolve(failed(exitText(code))));
    });
  } finally {
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
    const { problem, fix } = partsOf(
      loadError,
      'correct the module, or name another with --handler',
    );
    return failConfig(about, `${handler}: ${problem}`, fix, facts);
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
  const { problem, fix } = partsOf(text, 'correct the path given by --handler');
  return failConfig('handler', problem, fix, { loads: false });
}

/** A message of serve has its fix at the end. */
function partsOf(message: string, otherwise: string): { problem: string; fix: string } {
  const [problem = '', fix = otherwise] = message.split(/; fix: (.*)/s);
  return { problem, fix };
}
