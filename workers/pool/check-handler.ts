/** The entry of the thread in which `forebay check` loads a handler. A handler that fails or exits does not end the check. */
import { parentPort, workerData } from 'node:worker_threads';
import type { HandlerFacts } from '../../src/cli/check/handler.js';
import type { PoolThreadData } from '../../src/drain/handler-pool.js';
import type { HandlerModule, ThrownByHandler } from '../../src/model/order.js';

const { handler, context } = workerData as PoolThreadData;

async function loadFacts(): Promise<HandlerFacts> {
  try {
    const module = (await import(handler)) as HandlerModule;
    if (typeof module.default !== 'function') {
      return { wrong: 'it has no default export that is a function', away: null, note: null };
    }
    const note = (await module.check?.(context)) ?? null;
    return { wrong: null, away: null, note };
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
    const isAway = (error as ThrownByHandler | null | undefined)?.pause === true;
    return isAway ? { wrong: null, away: why, note: null } : { wrong: why, away: null, note: null };
  }
}

parentPort!.postMessage(await loadFacts());
