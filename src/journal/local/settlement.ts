import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame } from '../../model/frame.js';
import type { Settlement } from '../../model/journal.js';
import type { Log } from '../../model/log.js';
import { encodeDeadLetter } from '../frame/dead-letter.js';
import { encodeRecord } from '../frame/record.js';
import { keptDeadLetters, refiledFrame } from '../frame/refile.js';
import { ageKey, laterKey } from '../store/frame-rows.js';
import type { GroupedWrites } from '../store/grouped-writes.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore, Table } from '../store/local-store.js';
import { recordForwarded, recordSettled, settledFrame } from '../store/receipt-rows.js';

/** What a dead letter takes beside its order and its reason: keys, times, and a row for receipts. */
const DEAD_LETTER_BYTES = 256;

/** Where a frame lies, and under which key. */
export interface FrameRow {
  readonly table: Table;
  readonly key: Buffer;
}

/**
 * The writes that settle a frame, to be made in one transaction and, should that fail, again: ids
 * and times are fixed here, once.
 */
export function settlementWrites(
  store: LocalStore,
  frame: Frame,
  row: FrameRow,
  settlement: Settlement,
  newFrameId: () => string,
): () => void {
  const refiled = settlement.refile.map((refile) => refiledFrame(frame, refile, newFrameId()));
  const dead = keptDeadLetters(frame, settlement.dead, Date.now());
  const settled = settledFrame(frame, settlement);
  return () => {
    recordSettled(store, settled);
    for (const again of refiled) {
      store.later.put(laterKey(again), encodeRecord(again));
      store.ages.put(ageKey(again), Buffer.alloc(0));
    }
    for (const letter of dead) {
      store.dead.put(Buffer.from(letter.orderId, 'latin1'), encodeDeadLetter(letter));
    }
    removeRow(store, frame, row);
  };
}

/** About how much those writes put into the tables: next to nothing for what is done. */
export function settlementBytes(frame: Frame, { refile, dead }: Settlement): number {
  const moved = refile.length + dead.length === 0 ? 0 : frame.payload.length;
  return dead.reduce((bytes, { reason }) => bytes + reason.length + DEAD_LETTER_BYTES, moved);
}

/** The writes by which a frame leaves for another journal, in the same way. */
export function forwardedWrites(store: LocalStore, frame: Frame, row: FrameRow): () => void {
  return () => {
    recordForwarded(store, frame);
    recordKeys(store, frame);
    removeRow(store, frame, row);
  };
}

function removeRow(store: LocalStore, frame: Frame, row: FrameRow): void {
  row.table.remove(row.key);
  if (row.table === store.later) store.ages.remove(ageKey(frame));
}

/** Between two tries to write a settlement, say while the disk is full; doubles from one to the other. */
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;

/** Writes that are tried until they are durable. */
export class RetriedWrites {
  readonly #writes: GroupedWrites;
  readonly #place: string;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  #fault = '';

  /**
   * @param place what the operator is told that the fault is in
   * @param signal aborted, nothing is tried again
   */
  constructor(writes: GroupedWrites, place: string, signal: AbortSignal, log: Log) {
    this.#writes = writes;
    this.#place = place;
    this.#signal = signal;
    this.#log = log;
  }

  /** Why the last try failed; empty when it did not. */
  get fault(): string {
    return this.#fault;
  }

  /** Ends the delivery of a frame; `bytes` as for `GroupedWrites`. False when it was given up first: the frame stays and is delivered after the next start. */
  async settle(id: string, write: () => void, bytes = 0): Promise<boolean> {
    for (let pauseMs = RETRY_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)) {
      try {
        await this.#writes.write(write, bytes);
        this.#fault = '';
        return true;
      } catch (error) {
        const fault = `${this.#place}: ${(error as Error).message}`;
        if (this.#fault === '') {
          this.#log('settle-waits', `cannot settle frame ${id}, trying on: ${fault}`);
        }
        this.#fault = fault;
        if (this.#signal.aborted) return false;
        await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => {});
      }
    }
  }
}
