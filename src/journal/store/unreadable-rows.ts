import { crc32 } from 'node:zlib';
import type { Log } from '../../model/log.js';
import { decodeDead, decodeSpooledDead } from './dead-letter-rows.js';
import {
  ageKeyOf,
  decodeFresh,
  decodeLater,
  freshFacts,
  laterFacts,
  putAge,
} from './frame-rows.js';
import { decodeKeys } from './idempotency-rows.js';
import type { LocalStore } from './local-store.js';

/** A kind of row whose content is more than a status. */
interface RowKind {
  /** In one or two words. */
  readonly what: string;
  /** @throws Error the row is not as it was written, or its version is unknown */
  readonly decode: (key: Buffer, value: Buffer) => unknown;
  /** The id of a frame or order in the key. */
  readonly nameIn: (key: Buffer) => string;
}

const NAME_CHARS_MAX = 64;
const text = (key: Buffer) => printable(key.toString('latin1'));

/** An id that may be damaged, so that it can be shown in one line. */
export function printable(id: string): string {
  return id.slice(0, NAME_CHARS_MAX).replace(/[^\w -]/g, '.');
}

const KINDS = {
  frames: { what: 'frame', decode: decodeFresh, nameIn: (key) => printable(freshFacts(key).id) },
  later: { what: 'retry', decode: decodeLater, nameIn: (key) => printable(laterFacts(key).id) },
  dead: { what: 'dead letter', decode: decodeDead, nameIn: text },
  deadSpool: { what: 'dead letter', decode: decodeSpooledDead, nameIn: text },
  keys: { what: 'idempotency keys', decode: decodeKeys, nameIn: text },
} as const satisfies Readonly<Record<string, RowKind>>;

export type CheckedTable = keyof typeof KINDS;
export const CHECKED_TABLES = Object.keys(KINDS) as CheckedTable[];

/** A row that is not as it was written. */
export interface UnreadableRow {
  readonly table: CheckedTable;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly what: string;
  readonly name: string;
  readonly reason: string;
}

/** Null when the row is as it was written. */
export function unreadableRow(
  table: CheckedTable,
  key: Buffer,
  value: Buffer,
): UnreadableRow | null {
  const { what, decode, nameIn } = KINDS[table];
  try {
    decode(key, value);
    return null;
  } catch (error) {
    const reason = (error as Error).message;
    return { table, key, value, what, name: nameIn(key), reason };
  }
}

/** What an operator names the row by. */
export function rowId({ table, key }: Pick<UnreadableRow, 'table' | 'key'>): string {
  return `${table}-${crc32(key).toString(16).padStart(8, '0')}`;
}

const SEPARATOR = '/';
/** Keys of rows have up to 140 bytes, and LMDB takes up to 1978. */
const KEY_BYTES_MAX = 1024;

/** Key in the table `unreadable`: the name of the table, a slash, and the key there. The value is unchanged. */
export function movedKey(table: CheckedTable, key: Buffer): Buffer {
  return Buffer.concat([Buffer.from(table + SEPARATOR, 'latin1'), key]);
}

/**
 * Takes a row out of the way of those behind it. It stays in the journal, among those that `forebay dlq unreadable`
 * lists. To be called inside a write transaction.
 */
export function moveUnreadable(
  store: LocalStore,
  { table, key, value }: Pick<UnreadableRow, 'table' | 'key' | 'value'>,
): void {
  // No row of Forebay has such a key. It stays where it is: LMDB would not take it with the name of its table.
  if (key.length > KEY_BYTES_MAX) return;
  store.unreadable.put(movedKey(table, key), value);
  removeRow(store, table, key);
}

/**
 * Removes such a row for good, also if another process has moved it since it was listed. A row that another process has since
 * written under the same key stays.
 */
export function removeUnreadable(store: LocalStore, { table, key, value }: UnreadableRow): void {
  const moved = movedKey(table, key);
  if (key.length <= KEY_BYTES_MAX && store.unreadable.getBinary(moved)?.equals(value))
    store.unreadable.remove(moved);
  else if (store[table].getBinary(key)?.equals(value)) removeRow(store, table, key);
}

function removeRow(store: LocalStore, table: CheckedTable, key: Buffer): void {
  store[table].remove(key);
  // Of a damaged key it may not be the one; then the row stays, and counts only while other retries wait.
  if (table === 'later') store.ages.remove(ageKeyOf(laterFacts(key)));
}

/**
 * Removes a dead letter that can be read or not. To be called inside a write transaction.
 * @returns false when there is none
 */
export function removeDead(store: LocalStore, key: Buffer): boolean {
  const moved = movedKey('dead', key);
  if (store.unreadable.doesExist(moved)) store.unreadable.remove(moved);
  else if (store.dead.doesExist(key)) store.dead.remove(key);
  else return false;
  return true;
}

/** For `storedKeys`: reports a row of idempotency keys, and moves it. */
export function unreadableKeys(store: LocalStore, log: Log): (key: Buffer, why: string) => void {
  return (key, why) => {
    log('keys-unreadable', `the idempotency keys of frame ${text(key)} cannot be read: ${why}`);
    const value = store.keys.getBinary(key);
    if (value === undefined) return;
    // If the disk takes no writes, it is reported again after the next start.
    store.write(() => moveUnreadable(store, { table: 'keys', key, value })).catch(() => {});
  };
}

/** Rows in the table `unreadable`. */
export function unreadableRows(store: LocalStore): number {
  return (store.unreadable.getStats() as { entryCount: number }).entryCount;
}

/** The key that such a frame has in the table `frames`; null when there is none with this id. */
export function unreadableFrame(store: LocalStore, frameId: string): Buffer | null {
  const start = movedKey('frames', Buffer.from(frameId, 'latin1'));
  const end = Buffer.concat([start, Buffer.from([0xff])]);
  for (const key of store.unreadable.getKeys({ start, end, limit: 1 })) {
    return Buffer.from(key.subarray(movedKey('frames', Buffer.alloc(0)).length));
  }
  return null;
}

/**
 * Rows read at a time. One cursor for all is not an option: while it is open, LMDB reuses no page that the server
 * frees, and the reader may pause for hours.
 */
const PAGE_ROWS = 256;

/** The rows of a table, page by page. The caller may pause between two rows. */
export function* rowsOf(
  store: LocalStore,
  table: CheckedTable | 'unreadable',
): Iterable<{ readonly key: Buffer; readonly value: Buffer }> {
  let start: Buffer | null = null;
  for (;;) {
    store.refresh();
    const range = store[table].getRange({ ...(start === null ? {} : { start }), limit: PAGE_ROWS });
    const rows = Array.from(range, ({ key, value }) => ({ key: Buffer.from(key), value }));
    yield* rows;
    if (rows.length < PAGE_ROWS) return;
    // The lowest key that sorts behind the last one.
    start = Buffer.concat([rows.at(-1)!.key, Buffer.from([0])]);
  }
}

/** The rows that were moved into the table `unreadable`, as they were in their own. */
export function* movedRows(store: LocalStore): Iterable<UnreadableRow> {
  for (const row of movedFrom(store)) {
    const found = unreadableRow(row.table, row.key, row.value);
    if (found !== null) yield found;
  }
}

function* movedFrom(store: LocalStore): Iterable<Pick<UnreadableRow, 'table' | 'key' | 'value'>> {
  for (const { key, value } of rowsOf(store, 'unreadable')) {
    const table = CHECKED_TABLES.find((name) =>
      key.toString('latin1').startsWith(name + SEPARATOR),
    );
    if (table !== undefined) yield { table, key: key.subarray(table.length + 1), value };
  }
}

/**
 * Puts back what can be read after all, for example because an older version did not know the format. For the start.
 * If the disk takes no writes, that is left for another.
 */
export function restoreReadable(store: LocalStore): void {
  if (unreadableRows(store) === 0) return;
  try {
    putBackReadable(store);
  } catch {
    return;
  }
}

/** @throws Error the tables take no writes */
function putBackReadable(store: LocalStore): void {
  for (const { table, key, value } of movedFrom(store)) {
    if (unreadableRow(table, key, value) !== null) continue;
    store.transact(() => {
      store[table].put(key, value);
      if (table === 'later') putAge(store, decodeLater(key, value));
      store.unreadable.remove(movedKey(table, key));
    });
  }
}
