import pg from 'pg';
import type { Order } from '../../src/model/order.js';
import {
  canInsertKnown,
  codeFault,
  connectFault,
  PostgresFault,
  postgresFault,
} from './postgres-fault.js';
import type { OrderTable } from './postgres-tables.js';
import { type Encryption, isEncryptionRefused, type TlsPlan, tlsPlan } from './postgres-tls.js';

/** Timeout for connecting, including the server's greeting. */
const CONNECT_MS_MAX = 4000;
/** Timeout of a statement in the server, including waits for locks. */
const STATEMENT_MS_MAX = 5000;
/** Timeout for one lock. Shorter, so that a statement that waits can be told from one that is slow. */
const LOCK_MS_MAX = 4000;
/**
 * Timeout of a query in the client. Longer than the server's timeout, so that a query that is abandoned here has ended
 * there, and statements that wait for a lock do not accumulate.
 */
const ANSWER_MS_MAX = STATEMENT_MS_MAX + 1500;
/** TCP keep-alive: idle time before the operating system probes the server. */
const KEEP_ALIVE_MS = 10_000;

/**
 * After a failed connection, batches that were already queued get the same error at once. The database is tried again
 * after the pool's pause, which is at least 50 ms.
 */
const RECONNECT_MS_MIN = 40;

/**
 * A statement that timed out is run again unchanged, because the server may have been busy. If another statement times
 * out within this time, its batch is run in halves.
 */
const SLOW_AGAIN_MS = 60_000;
/** Consecutive timeouts of a single order before it uses up an attempt. */
const SLOW_SINGLE_MAX = 3;

/** Advisory lock for creating the table: without it, two processes that create it at the same time can fail. */
const TABLE_LOCK = 3_667_229_923_114;

/**
 * An order leaves the journal when its row is committed. So a commit must be on disk, even if the database has
 * `synchronous_commit = off`.
 */
const SESSION = `
  SET statement_timeout = ${STATEMENT_MS_MAX};
  SET lock_timeout = ${LOCK_MS_MAX};
  SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'`;

const LOCK_TABLES = `SELECT pg_advisory_xact_lock(${TABLE_LOCK})`;

function existenceOf(table: string): string {
  return `SELECT to_regclass('${table}') IS NOT NULL AS found`;
}

/** The number of rows is the planner's estimate, because counting can take minutes. */
function inspectionOf(table: string): string {
  return `
    ${existenceOf(table)},
      (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass('${table}')) AS orders,
      has_schema_privilege(current_schema(), 'CREATE') AS may_create,
      current_schema() AS schema`;
}

/** The table of orders, through one connection, which is made again after each outage. */
export class PostgresSink {
  readonly #url: string;
  readonly #table: OrderTable;
  #where = 'PostgreSQL';
  #client: pg.Client | null = null;
  #fault: PostgresFault | null = null;
  #faultMs = 0;
  #slowMs = Number.NEGATIVE_INFINITY;
  #slowSingleId = '';
  #slowSingle = 0;

  constructor(url: string, table: OrderTable) {
    this.#url = url;
    this.#table = table;
  }

  /** Connects and checks that orders can be inserted. @throws PostgresFault */
  async open(): Promise<void> {
    if (this.#client !== null) return;
    if (this.#fault !== null && performance.now() - this.#faultMs < RECONNECT_MS_MIN)
      throw this.#fault;
    this.#client = await this.#connect();
  }

  /**
   * Inserts the orders that are not in the table yet, in one round trip.
   *
   * @throws PostgresFault no order was inserted; if the answer never arrived, all or none were
   */
  async insert(orders: readonly Order<unknown>[]): Promise<void> {
    await this.open();
    const client = this.#client!;
    const values = this.#table.columns(orders);
    const startedMs = performance.now();
    try {
      await client.query(this.#insert(values));
    } catch (error) {
      let fault = postgresFault(error, this.#where);
      if (fault.kind === 'setup' && (await canInsertKnown(client, this.#table.insertKnown))) {
        fault = codeFault(error, this.#where);
      }
      if (fault.kind === 'away' || fault.kind === 'setup') this.#lose(fault, client);
      const isTimeUp = performance.now() - startedMs >= STATEMENT_MS_MAX;
      throw fault.kind === 'slow' && isTimeUp ? this.#slowFault(fault, orders) : fault;
    }
  }

  /** Pauses the pool, or has the batch run in halves, so that one slow order does not block the others forever. */
  #slowFault(fault: PostgresFault, orders: readonly Order<unknown>[]): PostgresFault {
    const nowMs = performance.now();
    const isAgain = nowMs - this.#slowMs < SLOW_AGAIN_MS;
    this.#slowMs = nowMs;
    if (orders.length > 1) return isAgain ? new PostgresFault('code', fault.message) : fault;
    const { id } = orders[0]!;
    this.#slowSingle = id === this.#slowSingleId ? this.#slowSingle + 1 : 1;
    this.#slowSingleId = id;
    if (this.#slowSingle < SLOW_SINGLE_MAX) return fault;
    this.#slowSingleId = '';
    return new PostgresFault('code', fault.message);
  }

  /**
   * Describes in one line what `open` would find. Changes nothing and leaves no connection open.
   *
   * @throws PostgresFault the error that `open` would throw
   */
  async inspect(): Promise<string> {
    const { name, insert, columns } = this.#table;
    let client: pg.Client | null = null;
    try {
      client = await this.#connectedClient(() => {});
      await client.query('BEGIN READ ONLY');
      const { rows } = await client.query(inspectionOf(name));
      const { found, orders, may_create: mayCreate, schema } = rows[0];
      if (found === false) {
        const none = `${this.#where}: no table ${name}`;
        if (mayCreate === true) return `${none} yet; it will be created in schema ${schema}`;
        throw new PostgresFault('setup', `${none}, and no permission to create it in ${schema}`);
      }
      // Planned but not run: planning detects missing columns, permissions and a missing unique index.
      await client.query({ text: `EXPLAIN ${insert}`, values: columns([]) });
      return `${this.#where}: table ${name} exists, with about ${orders} rows`;
    } catch (error) {
      throw error instanceof PostgresFault ? error : connectFault(error, this.#where);
    } finally {
      void client?.end();
    }
  }

  /** A named statement, so that each connection parses and plans it once. */
  #insert(values: string[]): pg.QueryConfig {
    return { name: 'forebay_insert_orders', text: this.#table.insert, values };
  }

  async #connect(): Promise<pg.Client> {
    let client: pg.Client | null = null;
    try {
      // The connection can end while it is idle.
      client = await this.#connectedClient((ended) => this.#closeClient(ended));
      const { name, create, columns } = this.#table;
      const results = await client.query(`${SESSION}; ${existenceOf(name)}`);
      const [{ found }] = (results as unknown as pg.QueryResult[]).at(-1)!.rows;
      // Several statements in one message are one transaction, which releases the lock at its end.
      if (found === false) await client.query(`${LOCK_TABLES}; ${create}`);
      // Inserts no orders, but detects missing columns, permissions and a missing unique index.
      await client.query(this.#insert(columns([])));
      return client;
    } catch (error) {
      const fault = error instanceof PostgresFault ? error : connectFault(error, this.#where);
      this.#lose(fault, client);
      throw fault;
    }
  }

  /**
   * Tries the ways to connect that `sslmode` allows.
   * @param onEnd called when the connection has ended
   */
  async #connectedClient(onEnd: (client: pg.Client) => void): Promise<pg.Client> {
    const plan = tlsPlan(this.#url, (url) => this.#newClient({ url }, false).host);
    const attempts = [...plan.attempts];
    for (;;) {
      const client = this.#newClient(plan, attempts.shift()!);
      client.on('error', () => onEnd(client));
      client.on('end', () => onEnd(client));
      try {
        await client.connect();
        return client;
      } catch (error) {
        void client.end();
        if (attempts.length === 0 || !isEncryptionRefused(error)) throw error;
      }
    }
  }

  #newClient({ url, sslnegotiation }: Omit<TlsPlan, 'attempts'>, ssl: Encryption): pg.Client {
    try {
      const client = new pg.Client({
        connectionString: url,
        ssl,
        ...(sslnegotiation === undefined ? {} : { sslnegotiation }),
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
      // The error is not passed on, because it may quote the URL and its password.
      const form = 'postgres://user:password@host:5432/database';
      throw new PostgresFault('setup', `--postgres-url is not a valid URL; expected ${form}`);
    }
  }

  #lose(fault: PostgresFault, client: pg.Client | null): void {
    if (client !== null) this.#closeClient(client);
    this.#fault = fault;
    this.#faultMs = performance.now();
  }

  #closeClient(client: pg.Client): void {
    if (this.#client === client) this.#client = null;
    // Not awaited: a frozen server never closes the connection.
    void client.end();
  }
}
