/**
 * What an error means for the orders:
 * - `orders`: an order is rejected permanently
 * - `code`: a trigger or function of the database raised it; it may not happen again
 * - `slow`: the statement was cancelled, by its timeout or by a user; the connection can still be used
 * - `setup`: no order can be inserted until a setting is changed
 * - `collision`: another transaction was in the way; the connection can still be used
 * - `away`: anything else; the connection cannot be used any more
 */
export type FaultKind = 'orders' | 'code' | 'slow' | 'setup' | 'collision' | 'away';

/**
 * By class of SQLSTATE, the first two characters (PostgreSQL manual, appendix A). All classes that PostgreSQL itself
 * can return for an insert are listed. Other classes come from code in the database and must not count as an outage, which
 * would hold back all orders because of one.
 */
const KIND_OF_CLASS: Readonly<Record<string, FaultKind>> = {
  '21': 'orders', // cardinality violation
  '22': 'orders', // data exception
  '23': 'orders', // integrity constraint violation
  '44': 'orders', // check option of a view violated
  '0A': 'setup', // a table with rules, which does not support ON CONFLICT
  '28': 'setup', // authorization refused
  '3D': 'setup', // no such database
  '3F': 'setup', // no such schema
  '42': 'setup', // no permission, no such column, no unique index
  '40': 'collision', // deadlock, serialization failure
  '08': 'away', // connection
  '25': 'away', // read-only, for example a standby
  '26': 'away', // the prepared statement is gone
  '53': 'away', // out of disk, memory, connections
  '57': 'away', // shut down, starting, database dropped
  '58': 'away', // an error of its operating system
  '72': 'away', // snapshot too old
  F0: 'away', // its configuration
  XX: 'away', // internal errors, damaged data or indexes
};

/** States whose meaning differs from that of their class, or whose class is not listed. */
const KIND_OF_STATE: Readonly<Record<string, FaultKind>> = {
  '55006': 'collision', // in use
  '55P03': 'collision', // locked for longer than `lock_timeout`
  '57014': 'slow', // query cancelled
  HV00N: 'away', // no connection to the server behind a foreign table
};

/** Configuration errors of the driver, which have no codes. */
const SETUP_TEXT = /^SASL|does not support SSL|establishing an SSL connection/;
/** Codes of certificate errors, including Node's ERR_TLS_…. */
const SETUP_CODE = /CERT|^ERR_TLS|^UNABLE_TO_/;

/** An error from `pg`, PostgreSQL or the operating system. */
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

/** The error that the handler throws. `pause` and `dead` tell the pool what to do, see ThrownByHandler. */
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

/** @param where names the database; must not contain a password */
export function postgresFault(error: unknown, where: string): PostgresFault {
  return faultOfKind(kindOf(error as AnyError), error as AnyError, where);
}

/** The same if it is known that a trigger or function raised the error. */
export function codeFault(error: unknown, where: string): PostgresFault {
  return faultOfKind('code', error as AnyError, where);
}

/** The same for an error while connecting, for example from a login trigger. It cannot be caused by an order. */
export function connectFault(error: unknown, where: string): PostgresFault {
  const kind = kindOf(error as AnyError);
  if (kind === 'slow') return faultOfKind('away', error as AnyError, where);
  const isOfOrders = kind === 'orders' || kind === 'code';
  return faultOfKind(isOfOrders ? 'setup' : kind, error as AnyError, where);
}

function faultOfKind(kind: FaultKind, known: AnyError, where: string): PostgresFault {
  // If a host has several addresses and none answers, the error contains one error per address and no message.
  const text = known.message || known.code || 'no connection';
  const code = known.code === undefined || text.includes(known.code) ? '' : ` (${known.code})`;
  const fix = kind === 'setup' ? '; fix: check the database and --postgres-url' : '';
  return new PostgresFault(kind, `${where}: ${text}${code}${fix}`);
}

/** The part of a connection that `canInsertKnown` needs. */
interface Connection {
  query(text: string): Promise<{ readonly rows: readonly { readonly known: number }[] }>;
}

/**
 * Whether an order that was inserted before can be inserted again, triggers included. If so, an error of another order is
 * not caused by the configuration, whatever SQLSTATE says. The insert is rolled back. Returns false if the table is empty,
 * because then nothing is known. After false the connection must not be used any more.
 * @param insertKnown see `OrderTable`
 */
export async function canInsertKnown(
  connection: Connection,
  insertKnown: string,
): Promise<boolean> {
  let known = 0;
  try {
    await connection.query('BEGIN');
    known = (await connection.query(insertKnown)).rows[0]!.known;
  } catch {
    // The known order cannot be inserted either.
  }
  try {
    await connection.query('ROLLBACK');
  } catch {
    // The transaction may still be open, and later inserts in it would not be committed.
    return false;
  }
  return known > 0;
}
