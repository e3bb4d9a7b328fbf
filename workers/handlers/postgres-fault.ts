/**
 * What a fault means for the orders:
 * - `orders`: one of them is refused, for good
 * - `code`: a trigger or function of the database's owner raised it; perhaps not the next time
 * - `setup`: nobody can insert anything until someone changes a setting
 * - `collision`: another transaction was in the way, and the connection is as good as before
 * - `away`: anything else; the connection is of no further use
 */
export type FaultKind = 'orders' | 'code' | 'setup' | 'collision' | 'away';

/**
 * By class of SQLSTATE, its first two characters (PostgreSQL's manual, appendix A). What is not listed is
 * held for an outage, for that loses no order: a dead letter for each order that arrives would.
 */
const KIND_OF_CLASS: Readonly<Record<string, FaultKind>> = {
  '21': 'orders', // cardinality violation
  '22': 'orders', // data exception
  '23': 'orders', // integrity constraint violation
  '44': 'orders', // check option of a view violated
  '09': 'code', // triggered action
  '38': 'code', // external routine
  '39': 'code', // external routine, called wrongly
  P0: 'code', // raised in PL/pgSQL
  '28': 'setup', // authorization refused
  '3D': 'setup', // no such database
  '3F': 'setup', // no such schema
  '42': 'setup', // no permission, no such column, no unique index
  '40': 'collision', // deadlock, serialization failure
  '55': 'collision', // locked
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
    return KIND_OF_CLASS[code.slice(0, 2)] ?? 'away';
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
  const known = error as AnyError;
  // A host with several addresses, none of which answers, has an error for each and no message.
  const text = known.message || known.code || 'no connection';
  const code = known.code === undefined || text.includes(known.code) ? '' : ` (${known.code})`;
  const kind = kindOf(known);
  const remedy = kind === 'setup' ? '; see to the database, or to --postgres-url' : '';
  return new PostgresFault(kind, `${where}: ${text}${code}${remedy}`);
}
