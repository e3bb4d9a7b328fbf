import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Log } from '../../model/log.js';
import type { UnreadableCounts, UnreadableEntry, UnreadableStore } from '../../model/unreadable.js';
import type { LocalStore } from '../store/local-store.js';
import { setAside, setAsideFiles, setAsideNames } from '../store/set-aside.js';
import {
  CHECKED_TABLES,
  movedRows,
  moveUnreadable,
  removeUnreadable,
  rowId,
  rowsOf,
  type UnreadableRow,
  unreadableRow,
  unreadableRows,
} from '../store/unreadable-rows.js';

/** Dead letters checked at a time, and the pause after that, or after one is moved: the server has more important work. */
const SWEEP_ROWS = 200;
const SWEEP_PAUSE_MS = 20;

export interface UnreadableWatch {
  /** Those that no reader has come across yet are not included. */
  readonly counts: () => UnreadableCounts;
  /** Resolves when it has looked. */
  readonly swept: Promise<void>;
  /** To be called before the store is closed. */
  readonly close: () => Promise<void>;
}

/** Counts what cannot be read, and looks once for dead letters, which nothing else in a server reads. */
export function watchUnreadable(store: LocalStore, log: Log): UnreadableWatch {
  const closing = new AbortController();
  const swept = sweep(store, log, closing.signal).catch(() => {});
  let known: UnreadableCounts = { rows: 0, files: 0 };
  return {
    swept,
    counts: () => {
      if (closing.signal.aborted) return known;
      store.refresh();
      known = {
        rows: unreadableRows(store),
        files: setAsideNames(store.folder, 'damaged').length,
      };
      return known;
    },
    close: () => {
      closing.abort();
      return swept;
    },
  };
}

async function sweep(store: LocalStore, log: Log, signal: AbortSignal): Promise<void> {
  let checked = 0;
  for (const table of ['dead', 'deadSpool'] as const) {
    for (const { key, value } of rowsOf(store, table)) {
      const row = unreadableRow(table, key, value);
      const isFound = row !== null && isThere(store, row);
      if (isFound) {
        log('letter-unreadable', `dead letter ${row.name} cannot be read: ${row.reason}`);
        store.transact(() => {
          if (isThere(store, row)) moveUnreadable(store, row);
        });
      }
      if (isFound || ++checked % SWEEP_ROWS === 0) {
        await sleep(SWEEP_PAUSE_MS, undefined, { signal });
        store.refresh();
      }
    }
  }
}

/** False when it was dropped or set aside since it was read, also if the order is a dead letter again. */
function isThere(store: LocalStore, { table, key, value }: UnreadableRow): boolean {
  return store[table].getBinary(key)?.equals(value) === true;
}

/** For `forebay dlq`, beside a running server or without one. */
export class LocalUnreadable implements UnreadableStore {
  readonly #store: LocalStore;

  constructor(store: LocalStore) {
    this.#store = store;
  }

  async *list(): AsyncIterable<UnreadableEntry> {
    for (const row of allUnreadable(this.#store)) {
      const { what, name, reason, value } = row;
      yield { id: rowId(row), place: 'journal', what, name, reason, bytes: value.length };
    }
    for (const { file, what, name, reason, bytes } of setAsideFiles(this.#store.folder)) {
      yield { id: file, place: 'file', what, name, reason, bytes };
    }
  }

  async *setAside(ids: readonly string[] | null) {
    for (const row of allUnreadable(this.#store)) {
      const id = rowId(row);
      if (ids === null || ids.includes(id)) yield { id, path: this.#moveToFile(row) };
    }
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** The file first: a crash in between leaves both. */
  #moveToFile(row: UnreadableRow): string {
    const { folder } = this.#store;
    const { what, name, reason, table, key, value } = row;
    const facts = { what, name, reason, from: `table ${table}, key ${key.toString('hex')}` };
    try {
      const path = setAside(folder, rowId(row), 'damaged', facts, value);
      this.#store.transact(() => removeUnreadable(this.#store, row));
      return path;
    } catch (error) {
      throw new OperatorFault(`data folder ${folder}: ${(error as Error).message}`, EXIT.failed);
    }
  }
}

/**
 * Those that no reader has come across yet, then those that were moved: a server may move some in between, and each of them
 * is still told once.
 */
function* allUnreadable(store: LocalStore): Iterable<UnreadableRow> {
  const told = new Set<string>();
  for (const table of CHECKED_TABLES) {
    for (const { key, value } of rowsOf(store, table)) {
      const row = unreadableRow(table, key, value);
      if (row === null) continue;
      told.add(nameOf(row));
      yield row;
    }
  }
  for (const row of movedRows(store)) if (!told.has(nameOf(row))) yield row;
}

/** Does not change when the row is moved. A later row with the same key is another one. */
function nameOf({ table, key, value }: UnreadableRow): string {
  return `${table}/${crc32(value)}/${key.toString('latin1')}`;
}
