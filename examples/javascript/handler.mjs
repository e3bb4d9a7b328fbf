/**
 * Ships each order by appending it to a file, which is synced before the orders count as done. After a crash the same
 * order can come again: its `id` tells that it is the same.
 */
import { open } from 'node:fs/promises';

const STOCK_MAX = 50;

/** @type {import('forebay').Handler} */
export default async function ship(orders) {
  const inStock = orders.filter(({ data }) => Number(data.count) <= STOCK_MAX);
  await append(inStock.map(({ id, data }) => `${JSON.stringify({ id, ...data })}\n`).join(''));
  // What exceeds the stock fails for good, and becomes a dead letter.
  return orders.map((order) =>
    inStock.includes(order) ? 'done' : { outcome: 'dead', reason: 'more than is in stock' },
  );
}

/** @param {string} lines */
async function append(lines) {
  const file = await open('shipments.ndjson', 'a');
  try {
    await file.write(lines);
    await file.datasync();
  } finally {
    await file.close();
  }
}
