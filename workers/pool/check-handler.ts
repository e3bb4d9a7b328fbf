/** The entry of the thread in which `forebay check` loads a handler. A handler that fails or exits does not end the check. */
import { parentPort, workerData } from 'node:worker_threads';
import type { HandlerFacts } from '../../src/cli/check/handler.js';
import type { PoolThreadData } from '../../src/drain/handler-pool.js';
import { LOADED } from '../../src/drain/handler-thread.js';
import { calledAtLoad, LoadFault, loadModule } from './load.js';
import { hasFlag, reasonOf, retryAfterMsOf } from './thrown.js';

const { handler, context } = workerData as PoolThreadData;

async function loadFacts(): Promise<HandlerFacts> {
  try {
    const { check } = await loadModule(handler);
    parentPort!.postMessage(LOADED);
    if (check === undefined) return { loadError: null, outage: null, note: null };
    const note: unknown = await calledAtLoad('check', handler, () => check(context));
    return { loadError: null, outage: null, note: note == null ? null : reasonOf(note) };
  } catch (error) {
    if (error instanceof LoadFault) return { loadError: error.message, outage: null, note: null };
    const message = reasonOf(error);
    return hasFlag(error, 'pause') || retryAfterMsOf(error) !== null
      ? { loadError: null, outage: message, note: null }
      : { loadError: message, outage: null, note: null };
  }
}

parentPort!.postMessage(await loadFacts());
