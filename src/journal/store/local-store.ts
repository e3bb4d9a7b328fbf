import { accessSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { prepareFolder, refuseForeignFile, requireAddressSpace } from './data-folder.js';
import { APPEND_FLOOR, DiskSpace, WRITE_FLOOR } from './disk-space.js';

export type Table = Database<Buffer, Buffer>;

/**
 * Address space, not disk: the file grows as it is filled. Set so high that it is never reached and
 * LMDB need not map the file again, which with several threads costs about a tenth of the commits.
 */
export const MAP_BYTES = 256 * 1024 ** 3;

export const journalFile = 'journal.lmdb';

export function hasJournal(folder: string): boolean {
  return existsSync(join(folder, journalFile));
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
] as const;

/**
 * The local journal's LMDB environment, opened by every thread that uses it.
 *
 * `overlappingSync: false` makes the promise of a write resolve after LMDB's commit has returned,
 * that is after fdatasync of the data and the O_DSYNC write of the meta page. With lmdb-js's default
 * the promise resolves once the write is visible, and `flushed`, the promise of the flush, stays
 * pending for ever when the flush fails.
 *
 * `eventTurnBatching: false`: with it, lmdb-js makes a promise that nobody can hold for each turn's
 * batch, and a full disk then ends the process by an unhandled rejection. Writes that belong together
 * are batched by hand here.
 */
export class LocalStore {
  readonly folder: string;
  /** Fresh frames by id; frames that were filed again by the time they are due. */
  readonly frames: Table;
  readonly later: Table;
  /** Times of acceptance of the frames in `later`. */
  readonly ages: Table;
  /** Dead letters by order id. */
  readonly dead: Table;
  /** Dead letters that wait for NATS: see dead-letter-spool.ts. */
  readonly deadSpool: Table;
  /** Frames that were settled: id to the number of orders accepted in them (4 bytes, big endian; 0 when filed again). */
  readonly settled: Table;
  /** Fresh frames of the spool that another journal took over, in the same way. */
  readonly forwarded: Table;
  /** Orders of settled frames that are not done, by order id: see receipts-table.ts. */
  readonly exceptions: Table;
  /** Idempotency keys by frame id: see key-rows.ts. */
  readonly keys: Table;
  /** Single values by name. */
  readonly meta: Table;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #space: DiskSpace;
  #closed = false;

  /**
   * With `mustExist` nothing is created: a thread that starts later must not begin a second journal
   * where the first was removed.
   *
   * @throws OperatorFault when the folder cannot be made, read and written, or the file not be mapped.
   */
  constructor(folder: string, { mustExist = false } = {}) {
    this.folder = folder;
    const path = join(folder, journalFile);
    this.#space = new DiskSpace(folder, path);
    requireAddressSpace(path, MAP_BYTES);
    try {
      if (mustExist) accessSync(path);
      else prepareFolder(folder);
      refuseForeignFile(path);
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
    } catch (error) {
      this.#space.close();
      throw new OperatorFault(
        `data folder ${folder}: ${(error as Error).message.split('\n')[0]}; name a folder with --data that this user can write`,
        EXIT.failed,
      );
    }
  }

  /** Why no frames should be added now, in one line; empty while they may. */
  get shortage(): string {
    const shortage = this.#space.shortage(APPEND_FLOOR);
    return shortage === '' ? '' : `data folder ${this.folder}: ${shortage}`;
  }

  /** Whether so many bytes could be taken for something else, and frames could be added all the same. */
  hasSpaceFor(bytes: number): boolean {
    const freeBytes = APPEND_FLOOR.freeBytes + bytes;
    return this.#space.shortage({ ...APPEND_FLOOR, freeBytes }) === '';
  }

  /**
   * All writes that `writes` makes, in one transaction; resolves when they are durable.
   *
   * @throws Error none of them was made; its message is LMDB's.
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
   * The same for writes that depend on what they read: nobody else writes meanwhile, in any process. This thread
   * waits for the lock and for the flush, so it is not for a thread that serves.
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

  /** Lets the next read see what other threads have committed meanwhile. */
  refresh(): void {
    this.#root.resetReadTxn();
  }

  /**
   * A process that was killed while it read leaves its mark, and LMDB then keeps all pages as of that moment: the file
   * grows by all that is written. To be called every few seconds by whoever is there for long.
   */
  clearDeadReaders(): void {
    if (!this.#closed) this.#root.readerCheck();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#root.close();
    this.#space.close();
  }
}

interface Environment {
  stat(): { readonly pageSize: number };
  info(): { readonly lastPageNumber: number };
}

/** LMDB's own count, which lmdb-js gives away by `getStats()` only together with a walk through all free pages. */
function usedBytes(root: RootDatabase<Buffer, Buffer>): () => number {
  const { env } = root as unknown as { readonly env: Environment };
  const { pageSize } = env.stat();
  return () => (env.info().lastPageNumber + 1) * pageSize;
}

/**
 * lmdb-js rejects a write with an error that holds the promise of the real one, whose message goes
 * on, for a disk that is full, with addresses in memory.
 */
async function underlying(error: unknown): Promise<Error> {
  const { commitError } = error as { commitError?: Promise<never> };
  if (commitError === undefined) return error as Error;
  return commitError.catch((cause: Error) => {
    cause.message = cause.message.replace(/: Attempting .*/s, '');
    return cause;
  });
}
