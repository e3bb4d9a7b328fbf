import pg from 'pg';
import type { Order } from '../../src/model/order.js';
import {
  canInsertKnown,
  codeFault,
  connectFault,
  PostgresFault,
  postgresFault,
} from './postgres-fault.js';

/** How long a connection may take to be made, the server's greeting included; milliseconds. */
const CONNECT_MS_MAX = 4000;
/** How long the server works on one statement, waits for locks included; milliseconds. */
const STATEMENT_MS_MAX = 5000;
/** How long it waits for one lock; milliseconds. Less, so that what only waits is told from what takes so long. */
const LOCK_MS_MAX = 4000;
/**
 * How long the answer is waited for; milliseconds. Longer than the server's own limit: that way a statement
 * given up here has ended there, and those that wait for a lock do not pile up.
 */
const ANSWER_MS_MAX = STATEMENT_MS_MAX + 1500;
/** Silence after which the operating system asks whether the server is still there; milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/**
 * A batch that waited behind the one that met the outage comes at once, and hears the same; only after the
 * pool's pause, of which 50 ms is the least, is the database asked again. Milliseconds.
 */
const REST_MS = 40;

/**
 * A statement that took too long is run again as it was, for the server may just have been busy; one that takes too
 * long within so many milliseconds of another is run in halves.
 */
const SLOW_AGAIN_MS = 60_000;
/** Times that an order which stands alone takes too long, one after the other, before it uses up an attempt. */
const SLOW_ALONE_MAX = 3;

/** Held while the table is made: without it, two that make it at once can both find none. */
const TABLE_LOCK = 3_667_229_923_114;

/**
 * An order leaves the journal when its row is committed: so a commit must mean that it is on disk, also
 * where the database's owner has chosen otherwise for others.
 */
const SESSION = `
  SET statement_timeout = ${STATEMENT_MS_MAX};
  SET lock_timeout = ${LOCK_MS_MAX};
  SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off';
  SELECT to_regclass('forebay_orders') IS NOT NULL AS found`;

/** More than one statement in one message is one transaction, at whose end the lock is let go. */
const CREATE_TABLE = `
  SELECT pg_advisory_xact_lock(${TABLE_LOCK});
  CREATE TABLE IF NOT EXISTS forebay_orders (
    order_id text PRIMARY KEY,
    product_id smallint NOT NULL,
    count smallint NOT NULL,
    username text NOT NULL,
    accepted_at timestamptz NOT NULL,
    attempt smallint NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now()
  )`;

/** Named, so that each connection has it parsed and planned once. */
const INSERT = {
  name: 'forebay_insert_orders',
  text: `
    INSERT INTO forebay_orders (order_id, product_id, count, username, accepted_at, attempt)
    SELECT id, product_id, count, username, to_timestamp(accepted_at), attempt
    FROM unnest($1::text[], $2::smallint[], $3::smallint[], $4::text[], $5::float8[], $6::smallint[])
      AS o (id, product_id, count, username, accepted_at, attempt)
    ON CONFLICT (order_id) DO NOTHING`,
};

/** Rows by the planner's own estimate, for counting them can take minutes. */
const LOOK = `
  SELECT to_regclass('forebay_orders') IS NOT NULL AS found,
    (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass('forebay_orders')) AS orders,
    has_schema_privilege(current_schema(), 'CREATE') AS may_create,
    current_schema() AS schema`;

/** The table of orders, over one connection, which is made anew after each outage. */
export class PostgresSink {
  readonly #url: string;
  #where = 'PostgreSQL';
  #client: pg.Client | null = null;
  #fault: PostgresFault | null = null;
  #faultMs = 0;
  #slowMs = Number.NEGATIVE_INFINITY;
  #slowAloneId = '';
  #slowAlone = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Connects, and makes sure that orders can be inserted. @throws PostgresFault */
  async open(): Promise<void> {
    if (this.#client !== null) return;
    if (this.#fault !== null && performance.now() - this.#faultMs < REST_MS) throw this.#fault;
    this.#client = await this.#connect();
  }

  /**
   * Inserts those orders that are not there yet, in one round trip.
   *
   * @throws PostgresFault none of them was inserted; or, where the answer never came, all or none were
   */
  async insert(orders: readonly Order[]): Promise<void> {
    await this.open();
    const client = this.#client!;
    const startedMs = performance.now();
    try {
      await client.query({ ...INSERT, values: orderColumns(orders) });
    } catch (error) {
      let fault = postgresFault(error, this.#where);
      if (fault.kind === 'setup' && (await canInsertKnown(client))) {
        fault = codeFault(error, this.#where);
      }
      if (fault.kind === 'away' || fault.kind === 'setup') this.#lose(fault, client);
      const isTimeUp = performance.now() - startedMs >= STATEMENT_MS_MAX;
      throw fault.kind === 'slow' && isTimeUp ? this.#tooSlow(fault, orders) : fault;
    }
  }

  /** Pauses the pool, or has the batch run in halves: otherwise one order would hold up all beside it for ever. */
  #tooSlow(fault: PostgresFault, orders: readonly Order[]): PostgresFault {
    const nowMs = performance.now();
    const isAgain = nowMs - this.#slowMs < SLOW_AGAIN_MS;
    this.#slowMs = nowMs;
    if (orders.length > 1) return isAgain ? new PostgresFault('code', fault.message) : fault;
    const { id } = orders[0]!;
    this.#slowAlone = id === this.#slowAloneId ? this.#slowAlone + 1 : 1;
    this.#slowAloneId = id;
    if (this.#slowAlone < SLOW_ALONE_MAX) return fault;
    this.#slowAloneId = '';
    return new PostgresFault('code', fault.message);
  }

  /**
   * What `open` would find, in one line; changes nothing, and leaves no connection.
   *
   * @throws PostgresFault what `open` would throw
   */
  async look(): Promise<string> {
    const client = this.#newClient();
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('BEGIN READ ONLY');
      const { rows } = await client.query(LOOK);
      const { found, orders, may_create: mayCreate, schema } = rows[0];
      if (found === false) {
        const none = `${this.#where}: no table forebay_orders`;
        if (mayCreate === true) return `${none} yet, it would be made in schema ${schema}`;
        throw new PostgresFault('setup', `${none}, and no permission to make it in ${schema}`);
      }
      // Planned, not run: that alone shows missing columns, permissions and the unique index.
      const values = orderColumns([]);
      await client.query({ text: `EXPLAIN ${INSERT.text}`, values });
      return `${this.#where}: the table forebay_orders is there, with about ${orders} rows`;
    } catch (error) {
      throw error instanceof PostgresFault ? error : connectFault(error, this.#where);
    } finally {
      void client.end();
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = this.#newClient();
    // The connection can end while nothing is asked of it.
    client.on('error', () => this.#letGo(client));
    client.on('end', () => this.#letGo(client));
    try {
      await client.connect();
      const results = (await client.query(SESSION)) as unknown as pg.QueryResult[];
      if (results.at(-1)!.rows[0].found === false) await client.query(CREATE_TABLE);
      // No orders, but all that can be missing shows: columns, permissions, the unique index.
      await client.query({ ...INSERT, values: orderColumns([]) });
      return client;
    } catch (error) {
      const fault = connectFault(error, this.#where);
      this.#lose(fault, client);
      throw fault;
    }
  }

  #newClient(): pg.Client {
    try {
      const client = new pg.Client({
        connectionString: this.#url,
        connectionTimeoutMillis: CONNECT_MS_MAX,
        query_timeout: ANSWER_MS_MAX,
        keepAlive: true,
        keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
        application_name: 'forebay',
      });
      const { user, host, port, database } = client;
      this.#where = `PostgreSQL ${user}@${host}:${port}/${database}`;
      return client;
    } catch {
      // The error may quote the URL, and with it the password.
      const remedy = 'it must be such as postgres://user:password@host:5432/database';
      throw new PostgresFault('setup', `--postgres-url cannot be read: ${remedy}`);
    }
  }

  #lose(fault: PostgresFault, client: pg.Client): void {
    this.#letGo(client);
    this.#fault = fault;
    this.#faultMs = performance.now();
  }

  #letGo(client: pg.Client): void {
    if (this.#client === client) this.#client = null;
    // Not waited for: a server that is frozen never says goodbye.
    void client.end();
  }
}

/**
 * A batch as the parameters of one statement: one array literal a column, for `unnest`. Written here, since a
 * driver that does not know what is in an array must look at each item's type and escape them all.
 * Source of the format: PostgreSQL's manual, 8.15.2 "Array Value Input".
 */
function orderColumns(orders: readonly Order[]): string[] {
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
