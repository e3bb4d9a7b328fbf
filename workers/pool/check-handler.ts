/** The entry of the thread in which `forebay check` loads a handler. A handler that fails or exits does not end the check. */
import { parentPort, workerData } from 'node:worker_threads';
import type { HandlerFacts } from '../../src/cli/check/handler.js';
import type { PoolThreadData } from '../../src/drain/handler-pool.js';
import type { HandlerModule } from '../../src/model/order.js';
import { NO_HANDLER } from './handler-file.js';
import { hasFlag, reasonOf } from './thrown.js';

const { handler, context } = workerData as PoolThreadData;

async function loadFacts(): Promise<HandlerFacts> {
  try {
    const module = (await import(handler)) as HandlerModule;
    if (typeof module.default !== 'function') {
      return { loadError: NO_HANDLER, outage: null, note: null };
    }
    const note: unknown = (await module.check?.(context)) ?? null;
    return { loadError: null, outage: null, note: note === null ? null : reasonOf(note) };
  } catch (error) {
    const message = reasonOf(error);
    return hasFlag(error, 'pause')
      ? { loadError: null, outage: message, note: null }
      : { loadError: message, outage: null, note: null };
  }
}

parentPort!.postMessage(await loadFacts());
