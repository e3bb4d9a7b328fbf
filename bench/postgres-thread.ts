/** A worker thread of bench/postgres.ts: inserts its share of the orders as fast as PostgreSQL accepts them. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Order } from '../src/model/order.js';
import { PostgresSink } from '../workers/handlers/postgres-sink.js';
import { orderTable } from '../workers/handlers/postgres-tables.js';

export interface PostgresThreadData {
  readonly url: string;
  /** Prefix of the ids of this thread's orders. */
  readonly origin: string;
  readonly orders: number;
  readonly batchOrders: number;
}

const { url, origin, orders, batchOrders } = workerData as PostgresThreadData;
const sink = new PostgresSink(url, orderTable);
await sink.open();
parentPort!.postMessage('ready');
parentPort!.once('message', async () => {
  for (let i = 0; i < orders; i += batchOrders) {
    const count = Math.min(batchOrders, orders - i);
    await sink.insert(Array.from({ length: count }, (_, position) => order(i + position)));
  }
  process.exit(0);
});

function order(index: number): Order {
  const id = `${origin}-${index}`;
  const data = { product_id: '33', count: '3', username: `user-${index}` };
  const json = JSON.stringify(data);
  return { id, attempt: 1, acceptedAt: Date.now(), data, json, headers: {} };
}
