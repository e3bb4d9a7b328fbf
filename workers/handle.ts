/** The entry of a pool thread, for Piscina: runs the user's handler on the batches it is given. */
import { workerData } from 'node:worker_threads';
import {
  type BatchMessage,
  type BatchResult,
  OUTCOME_DEAD,
  OUTCOME_DONE,
  OUTCOME_RETRY,
} from '../src/contract/batch.js';
import type { Handler, Order, OrderData, Outcome } from '../src/contract/order.js';
import type { PoolThreadData } from '../src/drain/dispatch.js';
import { kernelThreadId } from '../src/metrics/thread-beacon.js';

const OUTCOME_BYTE: Readonly<Record<Outcome, number>> = {
  done: OUTCOME_DONE,
  retry: OUTCOME_RETRY,
  dead: OUTCOME_DEAD,
};

/** Longest message of a thrown error that is kept as a reason; characters. */
const REASON_CHARS_MAX = 500;

/** What a thread that ends leaves to its results to get out; the runner sends it nothing more meanwhile. */
const LAST_WORDS_MS = 50;

const { handler: handlerUrl, context } = workerData as PoolThreadData;
const tid = kernelThreadId();
let loaded: Promise<Handler> | null = null;

async function load(): Promise<Handler> {
  const url =
    handlerUrl === 'simulate' ? new URL('./handlers/simulate.js', import.meta.url) : handlerUrl;
  const { default: handler } = (await import(String(url))) as { default?: unknown };
  if (typeof handler !== 'function') throw new Error('it has no default export that is a function');
  return handler as Handler;
}

/** Null, or in one line why the handler cannot be loaded. */
export async function loadHandler(): Promise<string | null> {
  try {
    loaded ??= load();
    await loaded;
    return null;
  } catch (error) {
    return oneLine(error);
  }
}

export default async function run(message: BatchMessage): Promise<BatchResult> {
  const startedMs = performance.now();
  let outcomes: Uint8Array | null = null;
  let notLoaded: string | null = null;
  let thrown: string | null = null;
  const wrong = await loadHandler();
  if (wrong !== null) {
    // Node keeps a module that failed to load: only a new thread can try again.
    setTimeout(() => process.exit(1), LAST_WORDS_MS);
    notLoaded = wrong;
    return { outcomes, notLoaded, thrown, handlerMs: 0, tid };
  }
  const handler = await loaded!;
  try {
    const orders = ordersOf(message);
    outcomes = outcomeBytes(await handler(orders, context), orders.length);
  } catch (error) {
    thrown = oneLine(error);
  }
  return { outcomes, notLoaded, thrown, handlerMs: performance.now() - startedMs, tid };
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
