/** The entry of a pool thread, for Piscina: runs the user's handler on the batches it is given. */
import { workerData } from 'node:worker_threads';
import type { PoolThreadData } from '../../src/drain/dispatch.js';
import { whereThrown } from '../../src/log/format.js';
import { BegunCalls } from '../../src/memory/begun-calls.js';
import { kernelThreadId } from '../../src/metrics/thread-beacon.js';
import type {
  HandlerModule,
  Order,
  OrderData,
  Outcome,
  ThrownByHandler,
} from '../../src/model/order.js';
import {
  type BatchCall,
  type BatchMessage,
  type BatchResult,
  type LoadResult,
  OUTCOME_DEAD,
  OUTCOME_DONE,
  OUTCOME_RETRY,
} from '../../src/model/pool-messages.js';

const OUTCOME_BYTE: Readonly<Record<Outcome, number>> = {
  done: OUTCOME_DONE,
  retry: OUTCOME_RETRY,
  dead: OUTCOME_DEAD,
};

/** Longest message of a thrown error that is kept as a reason; characters. */
const REASON_CHARS_MAX = 500;

/** What a thread that ends leaves to its results to get out; the runner sends it nothing more meanwhile. */
const LAST_WORDS_MS = 50;

const { handler: handlerUrl, context, begun: begunMemory } = workerData as PoolThreadData;
const begun = new BegunCalls(begunMemory);
const tid = kernelThreadId();
let loading: Promise<HandlerModule> | null = null;

async function load(): Promise<HandlerModule> {
  const module = (await import(handlerUrl)) as HandlerModule;
  if (typeof module.default !== 'function') {
    throw new Error('it has no default export that is a function');
  }
  return module;
}

function loadOnce(): Promise<HandlerModule> {
  loading ??= load();
  return loading;
}

export async function loadHandler(): Promise<LoadResult> {
  try {
    const { prepare } = await loadOnce();
    await prepare?.(context);
    return { wrong: null, away: null };
  } catch (error) {
    const why = oneLine(error);
    return saysSo(error, 'pause') ? { wrong: null, away: why } : { wrong: why, away: null };
  }
}

export default async function run(batch: BatchCall): Promise<BatchResult> {
  const startedMs = performance.now();
  const result = {
    outcomes: null as Uint8Array | null,
    notLoaded: null as string | null,
    paused: null as string | null,
    thrown: null as string | null,
    thrownAt: '',
    thrownDead: false,
    tid,
  };
  let handler: HandlerModule['default'];
  try {
    handler = (await loadOnce()).default;
  } catch (error) {
    // Node keeps a module that failed to load: only a new thread can try again.
    setTimeout(() => process.exit(1), LAST_WORDS_MS);
    return { ...result, notLoaded: oneLine(error), handlerMs: 0 };
  }
  try {
    const orders = ordersOf(batch);
    begun.begin(batch.call);
    result.outcomes = outcomeBytes(await handler(orders, context), orders.length);
  } catch (error) {
    if (saysSo(error, 'pause')) result.paused = oneLine(error);
    else result.thrown = oneLine(error);
    result.thrownAt = whereThrown(error);
    result.thrownDead = saysSo(error, 'dead');
  }
  return { ...result, handlerMs: performance.now() - startedMs };
}

function saysSo(thrown: unknown, what: keyof ThrownByHandler): boolean {
  return (thrown as ThrownByHandler | null | undefined)?.[what] === true;
}

function ordersOf({ payload, segments }: BatchMessage): Order[] {
  const lines = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    .toString('utf8')
    .split('\n');
  const orders: Order[] = [];
  for (const { origin, count, firstIndex, indexes, attempt, acceptedAtMs } of segments) {
    for (let i = 0; i < count; i++) {
      const id = `${origin}-${indexes === null ? firstIndex + i : indexes[i]!}`;
      const data = JSON.parse(lines[orders.length]!) as OrderData;
      orders.push({ id, attempt, acceptedAt: acceptedAtMs, data });
    }
  }
  return orders;
}

function outcomeBytes(returned: unknown, orders: number): Uint8Array | null {
  if (returned === undefined) return null;
  if (!Array.isArray(returned) || returned.length !== orders) {
    const got = Array.isArray(returned) ? `${returned.length} outcomes` : String(returned);
    throw new Error(
      `the handler returned ${got} for ${orders} orders: nothing, or one outcome each`,
    );
  }
  const bytes = new Uint8Array(orders);
  for (let i = 0; i < orders; i++) {
    const byte = OUTCOME_BYTE[returned[i] as Outcome];
    if (typeof byte !== 'number') {
      throw new Error(
        `the handler returned ${String(returned[i])}: an outcome is done, retry or dead`,
      );
    }
    bytes[i] = byte;
  }
  return bytes;
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, REASON_CHARS_MAX);
}
