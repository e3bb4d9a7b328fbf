import type { Order, OrderData } from '../../src/model/order.js';

/** A table that orders are inserted into, one row for each. */
export interface OrderTable {
  readonly name: string;
  readonly create: string;
  /** Inserts what is not there yet. Takes one array literal per column. */
  readonly insert: string;
  /** Inserts one of its rows again, under an id that no order has. */
  readonly insertKnown: string;
  /** The parameters of `insert`. @throws Error an order does not have the columns of the table */
  readonly columns: (orders: readonly Order<unknown>[]) => string[];
}

/** The column of each member of the built-in order. */
export const orderTable: OrderTable = {
  name: 'forebay_orders',
  create: `
    CREATE TABLE IF NOT EXISTS forebay_orders (
      order_id text PRIMARY KEY,
      product_id smallint NOT NULL,
      count smallint NOT NULL,
      username text NOT NULL,
      accepted_at timestamptz NOT NULL,
      attempt smallint NOT NULL,
      processed_at timestamptz NOT NULL DEFAULT now()
    )`,
  insert: `
    INSERT INTO forebay_orders (order_id, product_id, count, username, accepted_at, attempt)
    SELECT id, product_id, count, username, to_timestamp(accepted_at), attempt
    FROM unnest($1::text[], $2::smallint[], $3::smallint[], $4::text[], $5::float8[], $6::smallint[])
      AS o (id, product_id, count, username, accepted_at, attempt)
    ON CONFLICT (order_id) DO NOTHING`,
  insertKnown: `
    WITH known AS (
      SELECT order_id, product_id, count, username, accepted_at, attempt FROM forebay_orders LIMIT 1
    ), tried AS (
      INSERT INTO forebay_orders (order_id, product_id, count, username, accepted_at, attempt)
      SELECT order_id || ' again', product_id, count, username, accepted_at, attempt FROM known
      ON CONFLICT DO NOTHING
    )
    SELECT count(*)::int AS known FROM known`,
  columns: (orders) => {
    const built = orders.map(builtIn);
    return [
      column(built, ({ id }) => id),
      column(built, ({ data }) => data.product_id),
      column(built, ({ data }) => data.count),
      column(built, ({ data }) => quoted(data.username)),
      column(built, ({ acceptedAt }) => acceptedAt / 1000),
      column(built, ({ attempt }) => attempt),
    ];
  },
};

/**
 * Any order, as JSON. The text is cast to `json`, which becomes what the column is: `jsonb`, or `json` or `text` if the
 * operator has made the table.
 */
export const jsonTable: OrderTable = {
  name: 'forebay_json_orders',
  create: `
    CREATE TABLE IF NOT EXISTS forebay_json_orders (
      order_id text PRIMARY KEY,
      data jsonb NOT NULL,
      headers jsonb NOT NULL,
      accepted_at timestamptz NOT NULL,
      attempt smallint NOT NULL,
      processed_at timestamptz NOT NULL DEFAULT now()
    )`,
  insert: `
    INSERT INTO forebay_json_orders (order_id, data, headers, accepted_at, attempt)
    SELECT id, data::json, headers::json, to_timestamp(accepted_at), attempt
    FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::smallint[])
      AS o (id, data, headers, accepted_at, attempt)
    ON CONFLICT (order_id) DO NOTHING`,
  insertKnown: `
    WITH known AS (
      SELECT order_id, data, headers, accepted_at, attempt FROM forebay_json_orders LIMIT 1
    ), tried AS (
      INSERT INTO forebay_json_orders (order_id, data, headers, accepted_at, attempt)
      SELECT order_id || ' again', data, headers, accepted_at, attempt FROM known
      ON CONFLICT DO NOTHING
    )
    SELECT count(*)::int AS known FROM known`,
  columns: (orders) => [
    column(orders, ({ id }) => id),
    column(orders, ({ json }) => quoted(json)),
    column(orders, ({ headers }) => quoted(JSON.stringify(headers))),
    column(orders, ({ acceptedAt }) => acceptedAt / 1000),
    column(orders, ({ attempt }) => attempt),
  ],
};

/**
 * An order that was accepted while the server had another schema is not of the built-in one.
 * @throws Error it cannot be inserted, now or later
 */
function builtIn(order: Order<unknown>): Order {
  const { product_id, count, username } = (order.data ?? {}) as Partial<OrderData>;
  const isText = [product_id, count, username].every((value) => typeof value === 'string');
  if (isText) return order as Order;
  throw Object.assign(
    new Error(
      `the order is not one of the built-in schema, which forebay_orders is for; fix: start with the --schema that it was accepted under, then forebay dlq replay`,
    ),
    { dead: true },
  );
}

/**
 * One array literal, for `unnest`. Built here because the driver does not know the item types and would have to check and
 * escape each item.
 * Source of the format: PostgreSQL manual, 8.15.2 "Array Value Input".
 */
function column<T>(orders: readonly T[], item: (order: T) => string | number): string {
  return `{${orders.map(item).join(',')}}`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
