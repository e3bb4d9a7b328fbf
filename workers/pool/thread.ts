/** What a pool thread runs, loaded by entry.cjs and called by Piscina: the user's handler on batches. */
import { parentPort, workerData } from 'node:worker_threads';
import { HandSlots } from '../../src/drain/hand-file.js';
import type { PoolThreadData } from '../../src/drain/handler-pool.js';
import { LOADED } from '../../src/drain/handler-thread.js';
import { startCall } from '../../src/drain/start-call.js';
import { monotonicNs } from '../../src/limit/clock.js';
import { StartGate } from '../../src/memory/start-gate.js';
import { StartedCalls } from '../../src/memory/started-calls.js';
import { kernelThreadId, nameThread } from '../../src/metrics/thread-stats.js';
import { type KeptHeaders, NO_HEADERS } from '../../src/model/kept-headers.js';
import type { Order } from '../../src/model/order.js';
import type {
  BatchCall,
  BatchMessage,
  BatchResult,
  Failure,
  LoadResult,
  PauseNote,
} from '../../src/model/pool-messages.js';
import { type AnyHandlerModule, calledAtLoad, LoadFault, loadModule } from './load.js';
import { charsNeeded, withoutData } from './order-data.js';
import { InvalidOutcomes, type ReadOutcomes, readOutcomes } from './outcomes.js';
import { Strays } from './strays.js';
import { hasFlag, REASON_CHARS_MAX, reasonOf, retryAfterMsOf, thrownFailure } from './thrown.js';

/** Delay before the thread ends itself, so that its result is delivered. The runner sends it no batch in this time. */
const EXIT_DELAY_MS = 50;

const threadData = workerData as PoolThreadData;
const { handler: handlerUrl, context } = threadData;
const handSlots = threadData.hand === null ? null : new HandSlots(threadData.hand);
const startParts = {
  gate: new StartGate(threadData.startGate),
  calls: new StartedCalls(threadData.startedCalls),
  nowNs: monotonicNs,
  nowMs: Date.now,
};
// It has the name of the thread that started it.
nameThread('forebay-pool');
const tid = kernelThreadId();
const strays = new Strays();
strays.listen();
let loading: Promise<AnyHandlerModule> | null = null;

function loadOnce(): Promise<AnyHandlerModule> {
  loading ??= strays.whileLoading(() => loadModule(handlerUrl));
  return loading;
}

export async function loadHandler(): Promise<LoadResult> {
  try {
    const { prepare } = await loadOnce();
    parentPort!.postMessage(LOADED);
    if (prepare !== undefined) {
      await strays.whileLoading(() => calledAtLoad('prepare', handlerUrl, () => prepare(context)));
    }
    return { error: null, outage: null };
  } catch (error) {
    const outage = pauseOf(error, () => []);
    return { error: outage === null ? messageOf(error) : null, outage };
  }
}

/** In one line, and whole: a fault of the handler's files tells what to do at its end. */
function messageOf(error: unknown): string {
  return error instanceof LoadFault ? error.message : reasonOf(error);
}

export default async function run(batch: BatchCall): Promise<BatchResult> {
  const startedMs = performance.now();
  const { slot } = batch;
  const result = {
    outcomes: null as ReadOutcomes['outcomes'],
    notes: null as ReadOutcomes['notes'],
    notLoaded: null as string | null,
    notStarted: false,
    paused: null as PauseNote | null,
    thrown: null as Failure | null,
    thrownDead: false,
    tid,
  };
  let handler: AnyHandlerModule['default'];
  try {
    handler = (await loadOnce()).default;
  } catch (error) {
    // Node caches a module that failed to load, so only a new thread can load it again.
    setTimeout(() => process.exit(1), EXIT_DELAY_MS);
    return { ...result, notLoaded: messageOf(error), handlerMs: 0 };
  }
  try {
    const orders = ordersOf(batch);
    // The handler may take its orders out of the array one by one.
    const count = orders.length;
    if (slot !== null) handSlots?.begin({ ...batch, slot });
    // Last, so that the time that is noted is that of the handler's first line.
    if (!startCall(startParts, batch.call, batch.epoch)) {
      return { ...result, notStarted: true, handlerMs: 0 };
    }
    const returned = await strays.within(batch.call, () => handler(orders, context));
    // What the handler has done to its orders must not change what is said about them.
    let untouched: Order<unknown>[] | null = null;
    const orderAt = (index: number) => {
      untouched ??= ordersOf(batch);
      return untouched[index]!;
    };
    Object.assign(result, readOutcomes(returned, count, orderAt));
  } catch (error) {
    result.paused = pauseOf(error, () => ordersOf(batch));
    if (result.paused === null) {
      result.thrown = error instanceof InvalidOutcomes ? error.failure : thrownFailure(error);
      result.thrownDead = hasFlag(error, 'dead');
    }
  }
  // Calls without outcomes are dropped by the drain thread.
  if (slot !== null && result.thrown === null && result.paused === null) {
    handSlots?.end({ ...batch, slot }, result.outcomes);
  }
  return { ...result, handlerMs: performance.now() - startedMs };
}

function ordersOf({ payload, segments }: BatchMessage): Order<unknown>[] {
  const lines = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    .toString('utf8')
    .split('\n');
  const orders: Order<unknown>[] = [];
  for (const { origin, count, position, indexes, attempt, acceptedAtMs } of segments) {
    for (let i = 0; i < count; i++) {
      const id = `${origin}-${indexes === null ? position + i : indexes[i]!}`;
      const line = lines[orders.length]!;
      const tab = line.indexOf('\t');
      const json = tab < 0 ? line : line.slice(0, tab);
      const data: unknown = JSON.parse(json);
      const headers = tab < 0 ? NO_HEADERS : (JSON.parse(line.slice(tab + 1)) as KeptHeaders);
      orders.push({ id, attempt, acceptedAt: acceptedAtMs, data, json, headers });
    }
  }
  return orders;
}

/** Null if what was thrown asks for no pause. */
function pauseOf(thrown: unknown, orders: () => readonly Order<unknown>[]): PauseNote | null {
  const retryAfterMs = retryAfterMsOf(thrown);
  if (retryAfterMs === null && !hasFlag(thrown, 'pause')) return null;
  const text = reasonOf(thrown, charsNeeded(REASON_CHARS_MAX));
  const why = withoutData(text, orders(), REASON_CHARS_MAX);
  return { why, retryAfterMs: Number.isNaN(retryAfterMs) ? null : retryAfterMs };
}
