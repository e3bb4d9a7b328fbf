/** The load, in its own thread, so that nothing in the main thread delays it. */
import { parentPort, workerData } from 'node:worker_threads';
import { LoadConnection } from './load-connection.js';
import { faultBody, faultOrder } from './orders.js';
import { type SentOrders, UNSENT } from './sent-orders.js';

export interface LoadThreadData {
  readonly urls: readonly string[];
  readonly seed: number;
  /** Orders per second, whatever happens to earlier ones. */
  readonly rate: number;
  readonly connections: number;
  /** The load ends after this many orders. */
  readonly ordersMax: number;
  /** Each order has an idempotency key and is sent again until it is answered 200. */
  readonly isKeyed: boolean;
}

const TICK_MS = 2;
/** How long an order waits for a free connection. Then it is not sent. */
const WAIT_MS_MAX = 2000;
/** Longer than a connection waits for a response. */
const LAST_ANSWER_MS_MAX = 25_000;
const AGAIN_MS = 250;

const { urls, seed, rate, connections, ordersMax, isKeyed } = workerData as LoadThreadData;
const statuses = new Int16Array(ordersMax).fill(UNSENT);
const latenciesMs = new Float32Array(ordersMax);
const ids: string[] = [];
const waitingMax = Math.ceil((rate * WAIT_MS_MAX) / 1000);
/** Used in turn, because the server would close a connection that stays idle. */
const idle: LoadConnection[] = [];
/** Orders with keys that must be sent again. */
const again: number[] = [];
const startMs = performance.now();
let due = 0;
let next = 0;
let inFlight = 0;

const all = Array.from(
  { length: connections },
  (_, i) =>
    new LoadConnection(urls[i % urls.length]!, {
      idle: (connection) => {
        idle.push(connection);
        send();
      },
      answered: (sequence, status, orderId) => {
        inFlight--;
        statuses[sequence] = status;
        ids[sequence] = orderId;
        latenciesMs[sequence] = performance.now() - startMs - (sequence * 1000) / rate;
        if (isKeyed && status !== 200) sendAgain(sequence);
      },
    }),
);

function send(): void {
  while (idle.length > 0 && (again.length > 0 || next < due)) {
    const sequence = again[0] ?? next;
    const key = isKeyed ? `${seed}-${sequence}` : '';
    if (!idle.shift()!.post(sequence, faultBody(faultOrder(seed, sequence)), key)) continue;
    inFlight++;
    if (again.length > 0) again.shift();
    else ids[next++] = '';
  }
}

/** The order counts as in flight until it is sent again. */
function sendAgain(sequence: number): void {
  inFlight++;
  setTimeout(() => {
    inFlight--;
    again.push(sequence);
    send();
  }, AGAIN_MS);
}

function tick(): void {
  due = Math.min(ordersMax, Math.floor(((performance.now() - startMs) * rate) / 1000));
  next = Math.max(next, due - waitingMax);
  send();
}

const ticking = setInterval(tick, TICK_MS);

async function finish(): Promise<void> {
  clearInterval(ticking);
  const deadlineMs = performance.now() + LAST_ANSWER_MS_MAX;
  while ((next < due || again.length + inFlight > 0) && performance.now() < deadlineMs) {
    if (performance.now() > deadlineMs - LAST_ANSWER_MS_MAX + WAIT_MS_MAX) next = due;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  for (const connection of all) connection.close();
  const sent: SentOrders = {
    statuses: statuses.slice(0, due),
    ids: Array.from({ length: due }, (_, i) => ids[i] ?? ''),
    latenciesMs: latenciesMs.slice(0, due),
  };
  parentPort!.postMessage(sent);
  parentPort!.close();
}

parentPort!.once('message', () => void finish());
