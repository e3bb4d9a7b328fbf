import { Backoff } from '../../model/backoff.js';
import type { Frame } from '../../model/frame.js';
import type { Settlement } from '../../model/journal.js';
import type { Log } from '../../model/log.js';
import { deadLettersOf, refiledFrame } from '../frame/refile.js';
import { putDeadLetter } from '../store/dead-letter-rows.js';
import { ageKeyOf, putLater } from '../store/frame-rows.js';
import type { GroupedWrites } from '../store/grouped-writes.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { recordForwarded, recordSettled, settledFrame } from '../store/receipt-rows.js';
import type { FrameRow } from './waiting-frames.js';

/** What a dead letter takes beside its order and reason: keys, times, and a row for receipts. */
const DEAD_LETTER_BYTES = 256;

/** An idempotency key in its row, with its digest. */
const KEY_BYTES = 128;

/** What a refiled frame takes beside its orders: header, keys, and a row for receipts. */
const FRAME_BYTES = 512;

/**
 * The writes that settle a frame, to be made in one transaction and repeated when that fails: ids and times are
 * determined here, once.
 */
export function settlementWrites(
  store: LocalStore,
  frame: Frame,
  row: FrameRow,
  settlement: Settlement,
  newFrameId: () => string,
): () => void {
  const refiled = settlement.refile.map((refile) => refiledFrame(frame, refile, newFrameId()));
  const dead = deadLettersOf(frame, settlement.dead, Date.now());
  const settled = settledFrame(frame, settlement);
  return () => {
    recordSettled(store, settled);
    for (const retry of refiled) putLater(store, retry);
    for (const letter of dead) putDeadLetter(store, letter);
    removeRow(store, frame, row);
  };
}

/** About how many bytes those writes put into the tables: almost none for orders that are done and have no key. */
export function settlementBytes(frame: Frame, { refile, dead }: Settlement): number {
  const keys = frame.keys.length * KEY_BYTES;
  const moved =
    keys +
    (refile.length + dead.length === 0 ? 0 : frame.payload.length + refile.length * FRAME_BYTES);
  return dead.reduce((bytes, { reason }) => bytes + reason.length + DEAD_LETTER_BYTES, moved);
}

/** The writes that remove a frame which another journal has taken over. */
export function forwardedWrites(store: LocalStore, frame: Frame, row: FrameRow): () => void {
  return () => {
    recordForwarded(store, frame);
    recordKeys(store, frame);
    removeRow(store, frame, row);
  };
}

/** A frame in the log has no row. It has left when it is settled, and its keys outlive it. */
function removeRow(store: LocalStore, frame: Frame, row: FrameRow): void {
  if (row.table === 'log') {
    recordKeys(store, frame);
    return;
  }
  store[row.table].remove(row.key);
  if (row.table === 'later') store.ages.remove(ageKeyOf(frame));
}

/** Between two tries to write a settlement, for example while the disk is full. */
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;

/** Writes that are retried until they are durable. */
export class RetriedWrites {
  readonly #writes: GroupedWrites;
  readonly #location: string;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  #fault = '';

  /**
   * @param location named in the fault, for the operator
   * @param signal ends the retries
   */
  constructor(writes: GroupedWrites, location: string, signal: AbortSignal, log: Log) {
    this.#writes = writes;
    this.#location = location;
    this.#signal = signal;
    this.#log = log;
  }

  /** Why the last try failed; empty when it succeeded. */
  get fault(): string {
    return this.#fault;
  }

  /**
   * Ends the delivery of a frame. False when it was given up: the frame stays and is delivered after the next start.
   * @param bytes as for `GroupedWrites`
   */
  async settle(id: string, write: () => void, bytes = 0): Promise<boolean> {
    const backoff = new Backoff(RETRY_MS_MIN, RETRY_MS_MAX, this.#signal);
    for (;;) {
      try {
        await this.#writes.write(write, bytes);
        this.#fault = '';
        return true;
      } catch (error) {
        const fault = `${this.#location}: ${(error as Error).message}`;
        if (this.#fault === '') {
          this.#log('settle-waits', `cannot settle frame ${id}, retrying: ${fault}`);
        }
        this.#fault = fault;
        if (this.#signal.aborted) return false;
        await backoff.pause();
      }
    }
  }
}
