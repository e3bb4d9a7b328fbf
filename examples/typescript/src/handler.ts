/** Counts the articles ordered per product, in one statement of work per batch. */
import { appendFile } from 'node:fs/promises';
import type { Handler, HandlerContext, Order, Outcome } from 'forebay';

/** Called once before the server takes orders. What it throws is the reason why the server does not start. */
export async function prepare(context: HandlerContext): Promise<void> {
  await appendFile('counts.ndjson', `${JSON.stringify({ attemptsMax: context.attemptsMax })}\n`);
}

const count: Handler = async (orders) => {
  const totals = new Map<string, number>();
  for (const { data } of orders.filter(isPlausible)) {
    totals.set(data.product_id, (totals.get(data.product_id) ?? 0) + Number(data.count));
  }
  await appendFile('counts.ndjson', `${JSON.stringify(Object.fromEntries(totals))}\n`);
  return orders.map((order): Outcome => (isPlausible(order) ? 'done' : 'dead'));
};

function isPlausible({ data }: Order): boolean {
  return data.count !== '0';
}

export default count;
