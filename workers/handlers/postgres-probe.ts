/** As much of a connection as it takes. */
interface Connection {
  query(text: string): Promise<{ readonly rows: readonly { readonly known: number }[] }>;
}

/** An order that is there, once more, under an id that no order has. */
const INSERT_KNOWN = `
  WITH known AS (
    SELECT order_id, product_id, count, username, accepted_at, attempt FROM forebay_orders LIMIT 1
  ), tried AS (
    INSERT INTO forebay_orders (order_id, product_id, count, username, accepted_at, attempt)
    SELECT order_id || ' again', product_id, count, username, accepted_at, attempt FROM known
    ON CONFLICT DO NOTHING
  )
  SELECT count(*)::int AS known FROM known`;

/**
 * Whether an order can be inserted that could be before, triggers and all. Then it is not the set-up that stands in the way
 * of another one, whatever SQLSTATE says. Rolled back. False where the table is empty, for then nothing is known; after false the connection
 * is not to be used any more.
 */
export async function canInsertKnown(connection: Connection): Promise<boolean> {
  let known = 0;
  try {
    await connection.query('BEGIN');
    known = (await connection.query(INSERT_KNOWN)).rows[0]!.known;
  } catch {
    // It does not work for that one either.
  }
  try {
    await connection.query('ROLLBACK');
  } catch {
    // What is still in a transaction must insert nothing more: it would not be committed.
    return false;
  }
  return known > 0;
}
