/** The entry of a pool thread, called by Piscina: runs the user's handler on batches. */
import { workerData } from 'node:worker_threads';
import { HandSlots } from '../../src/drain/hand-file.js';
import type { PoolThreadData } from '../../src/drain/handler-pool.js';
import { StartedCalls } from '../../src/memory/started-calls.js';
import { kernelThreadId } from '../../src/metrics/thread-stats.js';
import { type KeptHeaders, NO_HEADERS } from '../../src/model/kept-headers.js';
import type { HandlerModule, Order, Outcome } from '../../src/model/order.js';
import {
  type BatchCall,
  type BatchMessage,
  type BatchResult,
  type LoadResult,
  OUTCOME_DEAD,
  OUTCOME_DONE,
  OUTCOME_RETRY,
} from '../../src/model/pool-messages.js';
import { NO_HANDLER } from './handler-file.js';
import { Strays } from './strays.js';
import { hasFlag, placeOf, reasonOf, valueText } from './thrown.js';

/** The handler returned what is not one outcome per order. */
class InvalidOutcomes extends Error {}

const OUTCOME_BYTE: Readonly<Record<Outcome, number>> = {
  done: OUTCOME_DONE,
  retry: OUTCOME_RETRY,
  dead: OUTCOME_DEAD,
};

/** Delay before the thread ends itself, so that its result is delivered. The runner sends it no batch in this time. */
const EXIT_DELAY_MS = 50;

const threadData = workerData as PoolThreadData;
const { handler: handlerUrl, context } = threadData;
const handSlots = threadData.hand === null ? null : new HandSlots(threadData.hand);
const startedCalls = new StartedCalls(threadData.startedCalls);
const tid = kernelThreadId();
const strays = new Strays();
strays.listen();
/** What the data is, only the handler knows. */
type AnyHandlerModule = HandlerModule<unknown>;
let loading: Promise<AnyHandlerModule> | null = null;

async function load(): Promise<AnyHandlerModule> {
  const module = (await import(handlerUrl)) as AnyHandlerModule;
  if (typeof module.default !== 'function') {
    throw new Error(NO_HANDLER);
  }
  return module;
}

function loadOnce(): Promise<AnyHandlerModule> {
  loading ??= strays.whileLoading(load);
  return loading;
}

export async function loadHandler(): Promise<LoadResult> {
  try {
    const { prepare } = await loadOnce();
    await strays.whileLoading(async () => prepare?.(context));
    return { error: null, outage: null };
  } catch (error) {
    const message = reasonOf(error);
    return hasFlag(error, 'pause')
      ? { error: null, outage: message }
      : { error: message, outage: null };
  }
}

export default async function run(batch: BatchCall): Promise<BatchResult> {
  const startedMs = performance.now();
  const { slot } = batch;
  const result = {
    outcomes: null as Uint8Array | null,
    notLoaded: null as string | null,
    paused: null as string | null,
    thrown: null as string | null,
    failedHow: '',
    thrownDead: false,
    tid,
  };
  let handler: AnyHandlerModule['default'];
  try {
    handler = (await loadOnce()).default;
  } catch (error) {
    // Node caches a module that failed to load, so only a new thread can load it again.
    setTimeout(() => process.exit(1), EXIT_DELAY_MS);
    return { ...result, notLoaded: reasonOf(error), handlerMs: 0 };
  }
  try {
    const orders = ordersOf(batch);
    // The handler may take its orders out of the array one by one.
    const count = orders.length;
    startedCalls.start(batch.call);
    if (slot !== null) handSlots?.begin({ ...batch, slot });
    const returned = await strays.within(batch.call, () => handler(orders, context));
    result.outcomes = outcomeBytes(returned, count);
  } catch (error) {
    if (hasFlag(error, 'pause')) result.paused = reasonOf(error);
    else result.thrown = reasonOf(error);
    result.failedHow =
      error instanceof InvalidOutcomes ? 'returned invalid outcomes' : `threw ${placeOf(error)}`;
    result.thrownDead = hasFlag(error, 'dead');
  }
  // Calls without outcomes are dropped by the main thread.
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

function outcomeBytes(returned: unknown, orders: number): Uint8Array | null {
  if (returned === undefined) return null;
  if (!Array.isArray(returned) || returned.length !== orders) {
    const got = Array.isArray(returned) ? `${returned.length} outcomes` : valueText(returned);
    throw new InvalidOutcomes(
      `the handler returned ${got} for ${orders} orders: it must return nothing, or one outcome per order`,
    );
  }
  const bytes = new Uint8Array(orders);
  for (let i = 0; i < orders; i++) {
    const outcome: unknown = returned[i];
    if (!isOutcome(outcome)) {
      throw new InvalidOutcomes(
        `the handler returned ${valueText(outcome)}: an outcome must be done, retry or dead`,
      );
    }
    bytes[i] = OUTCOME_BYTE[outcome];
  }
  return bytes;
}

function isOutcome(value: unknown): value is Outcome {
  return value === 'done' || value === 'retry' || value === 'dead';
}
