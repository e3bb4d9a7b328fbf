/**
 * What a fault means for the orders:
 * - `orders`: one of them is refused, for good
 * - `code`: a trigger or function of the database's owner raised it; perhaps not the next time
 * - `slow`: the statement was cancelled, by its time limit or by somebody; the connection is as good as before
 * - `setup`: nobody can insert anything until someone changes a setting
 * - `collision`: another transaction was in the way, and the connection is as good as before
 * - `away`: anything else; the connection is of no further use
 */
export type FaultKind = 'orders' | 'code' | 'slow' | 'setup' | 'collision' | 'away';

/**
 * By class of SQLSTATE, its first two characters (PostgreSQL's manual, appendix A). All that PostgreSQL itself can
 * answer to an insert is listed; what is not, only code of the database's owner raises. To hold that for an outage would
 * hold all orders back for the sake of one.
 */
const KIND_OF_CLASS: Readonly<Record<string, FaultKind>> = {
  '21': 'orders', // cardinality violation
  '22': 'orders', // data exception
  '23': 'orders', // integrity constraint violation
  '44': 'orders', // check option of a view violated
  '0A': 'setup', // a table that takes no ON CONFLICT: it has rules
  '28': 'setup', // authorization refused
  '3D': 'setup', // no such database
  '3F': 'setup', // no such schema
  '42': 'setup', // no permission, no such column, no unique index
  '40': 'collision', // deadlock, serialization failure
  '08': 'away', // connection
  '25': 'away', // read-only: a standby, say
  '26': 'away', // the prepared statement is gone
  '53': 'away', // out of disk, memory, connections
  '57': 'away', // shut down, starting, database dropped
  '58': 'away', // a fault of the operating system under it
  '72': 'away', // snapshot too old
  F0: 'away', // its configuration
  XX: 'away', // its own bugs, and data or indexes that are damaged
};

/** Where one of a class, or of none that is listed, means something of its own. */
const KIND_OF_STATE: Readonly<Record<string, FaultKind>> = {
  '55006': 'collision', // in use
  '55P03': 'collision', // locked for longer than `lock_timeout`
  '57014': 'slow', // query cancelled
  HV00N: 'away', // no connection to the server behind a foreign table
};

/** What the driver itself finds wrong with the options, for which it has no codes. */
const SETUP_TEXT = /^SASL|does not support SSL|establishing an SSL connection/;
/** Codes of a certificate that is not trusted, among them Node's ERR_TLS_…. */
const SETUP_CODE = /CERT|^ERR_TLS|^UNABLE_TO_/;

/** An error as `pg`, PostgreSQL or the operating system gives it. */
interface AnyError {
  readonly message: string;
  /** SQLSTATE, or a name such as ECONNREFUSED. */
  readonly code?: string;
}

function kindOf({ message, code = '' }: AnyError): FaultKind {
  if (/^[0-9A-Z]{5}$/.test(code) && /\d/.test(code))
    return KIND_OF_STATE[code] ?? KIND_OF_CLASS[code.slice(0, 2)] ?? 'code';
  return SETUP_TEXT.test(message) || SETUP_CODE.test(code) ? 'setup' : 'away';
}

/** What the handler throws; its members `pause` and `dead` tell the pool what to do, see ThrownByHandler. */
export class PostgresFault extends Error {
  override readonly name = 'PostgresFault';
  readonly kind: FaultKind;
  readonly pause: boolean;
  readonly dead: boolean;

  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
    this.dead = kind === 'orders';
    this.pause = kind !== 'orders' && kind !== 'code';
  }
}

/** `where` names the database and must not hold a password. */
export function postgresFault(error: unknown, where: string): PostgresFault {
  return faultOfKind(kindOf(error as AnyError), error as AnyError, where);
}

/** The same, once it is known that a trigger or function raised it. */
export function codeFault(error: unknown, where: string): PostgresFault {
  return faultOfKind('code', error as AnyError, where);
}

/** The same while a connection is made: no order is concerned, so none can be blamed, say for what a login trigger raises. */
export function connectFault(error: unknown, where: string): PostgresFault {
  const kind = kindOf(error as AnyError);
  if (kind === 'slow') return faultOfKind('away', error as AnyError, where);
  const isOfOrders = kind === 'orders' || kind === 'code';
  return faultOfKind(isOfOrders ? 'setup' : kind, error as AnyError, where);
}

function faultOfKind(kind: FaultKind, known: AnyError, where: string): PostgresFault {
  // A host with several addresses, none of which answers, has an error for each and no message.
  const text = known.message || known.code || 'no connection';
  const code = known.code === undefined || text.includes(known.code) ? '' : ` (${known.code})`;
  const remedy = kind === 'setup' ? '; see to the database, or to --postgres-url' : '';
  return new PostgresFault(kind, `${where}: ${text}${code}${remedy}`);
}

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
