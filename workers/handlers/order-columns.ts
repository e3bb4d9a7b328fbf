import type { Order } from '../../src/model/order.js';

/**
 * A batch as the parameters of one statement: one array literal a column, for `unnest`. Written here, since a
 * driver that does not know what is in an array must look at each item's type and escape them all.
 * Source of the format: PostgreSQL's manual, 8.15.2 "Array Value Input".
 */
export function orderColumns(orders: readonly Order[]): string[] {
  const column = (item: (order: Order) => string | number) => `{${orders.map(item).join(',')}}`;
  return [
    column(({ id }) => id),
    column(({ data }) => data.product_id),
    column(({ data }) => data.count),
    column(({ data }) => quoted(data.username)),
    column(({ acceptedAt }) => acceptedAt / 1000),
    column(({ attempt }) => attempt),
  ];
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
