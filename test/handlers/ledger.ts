import type { ForebayProcess } from '../support/forebay.js';
import { metric, OrderClient } from '../support/orders.js';

export interface Ledger {
  /** User name by order id, for all orders that were answered with 200. */
  readonly accepted: Map<string, string>;
  readonly statuses: number[];
}

/** Posts orders with unique user names, a few at a time, until the signal. */
export async function postUntil(signal: AbortSignal, url: string): Promise<Ledger> {
  const atATime = 16;
  const client = new OrderClient(url, atATime);
  const ledger: Ledger = { accepted: new Map(), statuses: [] };
  let posted = 0;
  const postOn = async () => {
    while (!signal.aborted) {
      const username = `user-${posted++}`;
      const { status, id } = await client.post(username);
      ledger.statuses.push(status);
      if (status === 200) ledger.accepted.set(id, username);
    }
  };
  await Promise.all(Array.from({ length: atATime }, postOn));
  client.close();
  return ledger;
}

/** A row of the orders table. */
export interface Row {
  readonly order_id: string;
  readonly product_id: number;
  readonly count: number;
  readonly username: string;
  readonly accepted_at: Date;
  readonly attempt: number;
}

export async function isEmpty(forebay: ForebayProcess): Promise<boolean> {
  return (await metric(forebay, 'forebay_journal_pending_orders')) === 0;
}
