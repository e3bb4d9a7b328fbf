import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { prepareFolder, refuseIncomplete, requireAddressSpace } from './data-folder.js';
import { APPEND_FLOOR, DiskSpace, WRITE_FLOOR } from './disk-space.js';
import { FolderFault } from './folder-fault.js';
import { requireSoundFile } from './sound-file.js';
import { isThere } from './usable-files.js';

export type Table = Database<Buffer, Buffer>;

/**
 * Address space, not disk space: the file grows as it is filled. So large that it is never reached and LMDB never has
 * to map the file again, which with several threads costs about a tenth of the commits.
 */
export const MAP_BYTES = 256 * 1024 ** 3;

export const journalFile = 'journal.lmdb';

export function hasJournal(folder: string): boolean {
  return isThere(join(folder, journalFile));
}

export const TABLES = [
  'frames',
  'later',
  'ages',
  'dead',
  'deadSpool',
  'settled',
  'forwarded',
  'exceptions',
  'keys',
  'meta',
  'unreadable',
] as const;

/**
 * The local journal's LMDB environment. Every thread that uses it opens it.
 *
 * `overlappingSync: false` makes the promise of a write resolve after LMDB's commit has returned, that is after
 * fdatasync of the data and the O_DSYNC write of the meta page. With lmdb-js's default it resolves once the write is
 * visible, and `flushed`, the promise of the flush, stays pending forever when the flush fails.
 *
 * `eventTurnBatching: false`: with it, lmdb-js creates a promise per event-loop turn that no caller can hold, so a
 * full disk ends the process with an unhandled rejection. Writes that belong together are batched explicitly here.
 */
export class LocalStore {
  readonly folder: string;
  /** Fresh frames by id; refiled frames by the time they are due. */
  readonly frames: Table;
  readonly later: Table;
  /** Times of acceptance of the frames in `later`. */
  readonly ages: Table;
  /** Dead letters by order id. */
  readonly dead: Table;
  /** Dead letters that wait for NATS: see dead-letter-rows.ts. */
  readonly deadSpool: Table;
  /** Settled frames: id to the number of orders accepted in them (4 bytes, big endian; 0 for a refiled frame). */
  readonly settled: Table;
  /** Fresh frames of the spool that another journal took over, in the same format. */
  readonly forwarded: Table;
  /** Orders of settled frames that are not done, by order id: see receipt-rows.ts. */
  readonly exceptions: Table;
  /** Idempotency keys by frame id: see idempotency-rows.ts. */
  readonly keys: Table;
  /** Single values by name. */
  readonly meta: Table;
  /** Rows of other tables that are not as they were written: see unreadable-rows.ts. */
  readonly unreadable: Table;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #space: DiskSpace;
  #closed = false;
  #onClose: () => void = () => {};

  /**
   * With `mustExist` nothing is created: a thread that starts later must not begin a second journal after the first
   * was removed.
   * @throws OperatorFault the folder cannot be created, read or written, or the file cannot be mapped
   */
  constructor(folder: string, { mustExist = false } = {}) {
    this.folder = folder;
    const path = join(folder, journalFile);
    this.#space = new DiskSpace(folder, path);
    requireAddressSpace(path, MAP_BYTES);
    try {
      if (mustExist) accessSync(path);
      else prepareFolder(folder);
      requireSoundFile(path, MAP_BYTES);
      this.#requireSpace();
      this.#root = open<Buffer, Buffer>({
        path,
        encoding: 'binary',
        keyEncoding: 'binary',
        maxDbs: TABLES.length,
        mapSize: MAP_BYTES,
        overlappingSync: false,
        eventTurnBatching: false,
      });
      // From here on LMDB writes.
      this.#space.watchFile(usedBytes(this.#root));
      const table = (name: (typeof TABLES)[number]) =>
        this.#root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
      this.frames = table('frames');
      this.later = table('later');
      this.ages = table('ages');
      this.dead = table('dead');
      this.deadSpool = table('deadSpool');
      this.settled = table('settled');
      this.forwarded = table('forwarded');
      this.exceptions = table('exceptions');
      this.keys = table('keys');
      this.meta = table('meta');
      this.unreadable = table('unreadable');
    } catch (error) {
      this.#space.close();
      throw unusable(folder, error);
    }
  }

  /** Why no frames should be added now, in one line; empty while they may be added. */
  get shortage(): string {
    const shortage = this.#space.shortage(APPEND_FLOOR);
    return shortage === '' ? '' : `data folder ${this.folder}: ${shortage}`;
  }

  /** Whether frames could still be added after this many bytes were used for something else. */
  hasSpaceFor(bytes: number): boolean {
    const freeBytes = APPEND_FLOOR.freeBytes + bytes;
    return this.#space.shortage({ ...APPEND_FLOOR, freeBytes }) === '';
  }

  /**
   * Makes all writes of `writes` in one transaction; resolves when they are durable.
   * @throws Error none of them was made; the message is LMDB's
   */
  async write(writes: () => void): Promise<void> {
    if (this.#closed) throw new Error('the journal is closed');
    this.#requireSpace();
    try {
      await this.#root.batch(writes);
    } catch (error) {
      throw await underlying(error);
    }
  }

  /**
   * The same for writes that depend on what they read: no other thread or process writes at the same time. Blocks
   * this thread while it waits for the lock and the flush, so it is not for a thread that serves requests.
   */
  transact<T>(work: () => T): T {
    if (this.#closed) throw new Error('the journal is closed');
    this.#requireSpace();
    return this.#root.transactionSync(work);
  }

  #requireSpace(): void {
    const shortage = this.#space.shortageNow(WRITE_FLOOR);
    if (shortage !== '') throw new Error(shortage);
  }

  /** Makes the next read see what other threads have committed. */
  refresh(): void {
    this.#root.resetReadTxn();
  }

  /**
   * A process that was killed while it read stays registered as a reader, and LMDB then keeps all pages of that
   * moment: the file grows with every write. A process that runs for long must call this every few seconds.
   */
  clearDeadReaders(): void {
    if (!this.#closed) this.#root.readerCheck();
  }

  /** @param work done when the store is closed in order */
  onClose(work: () => void): void {
    this.#onClose = work;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      this.#onClose();
    } catch {
      // The disk takes no writes: as after a crash.
    }
    this.#closed = true;
    await this.#root.close();
    this.#space.close();
  }
}

/**
 * Creates the folder if there is none.
 * @throws OperatorFault it cannot be created, read or written
 */
export function prepareDataFolder(folder: string): void {
  try {
    prepareFolder(folder);
    refuseIncomplete(folder);
  } catch (error) {
    throw unusable(folder, error);
  }
}

function unusable(folder: string, error: unknown): OperatorFault {
  const fix =
    error instanceof FolderFault ? error.fix : 'name a folder with --data that this user can write';
  const what = (error as Error).message.split('\n')[0];
  return new OperatorFault(`data folder ${folder}: ${what}; ${fix}`, EXIT.failed);
}

interface Environment {
  stat(): { readonly pageSize: number };
  info(): { readonly lastPageNumber: number };
}

/** LMDB's own count. The `getStats()` of lmdb-js returns it only after a walk through all free pages. */
function usedBytes(root: RootDatabase<Buffer, Buffer>): () => number {
  const { env } = root as unknown as { readonly env: Environment };
  const { pageSize } = env.stat();
  return () => (env.info().lastPageNumber + 1) * pageSize;
}

/**
 * lmdb-js rejects a write with an error that holds the promise of the real one. When the disk is full, the message of
 * the real one ends in memory addresses.
 */
async function underlying(error: unknown): Promise<Error> {
  const { commitError } = error as { commitError?: Promise<never> };
  if (commitError === undefined) return error as Error;
  return commitError.catch((cause: Error) => {
    cause.message = cause.message.replace(/: Attempting .*/s, '');
    return cause;
  });
}
