import { type Frame, orderId } from '../../model/frame.js';
import type { Settlement } from '../../model/journal.js';
import type { Receipt } from '../../model/receipt.js';
import { freshFacts } from './frame-rows.js';
import type { LocalStore } from './local-store.js';

/** Values of the table `exceptions`: refiled and not done yet; a dead letter; a dead letter that was dropped. */
const AGAIN = Buffer.from('a');
const DEAD = Buffer.from('d');
const DROPPED = Buffer.from('x');

/** A row of `settled`: the number of orders accepted in the frame, and when it was settled, epoch seconds. */
const COUNT_BYTES = 4;
const SETTLED_BYTES = 8;

/** Higher than any byte of a frame id, so that `id + AFTER` sorts behind every key that begins with `id`. */
const AFTER = 0xff;

/** What a settlement means for the receipts of its orders. */
export interface SettledFrame {
  readonly id: string;
  /** Orders of a fresh frame; 0 for a refiled frame, whose orders belong to the original. */
  readonly count: number;
  /** Order ids. */
  readonly refiled: readonly string[];
  readonly dead: readonly string[];
  /** Orders that were refiled before and are done now. */
  readonly doneAfterRetry: readonly string[];
}

export function settledFrame(frame: Frame, { refile, dead }: Settlement): SettledFrame {
  const refiled = refile.flatMap(({ positions }) => positions);
  const deadPositions = dead.map(({ position }) => position);
  const isOpen = new Set([...refiled, ...deadPositions]);
  const doneAfterRetry = [];
  if (frame.refiled !== null) {
    for (let i = 0; i < frame.count; i++)
      if (!isOpen.has(i)) doneAfterRetry.push(orderId(frame, i));
  }
  return {
    id: frame.id,
    count: frame.refiled === null ? frame.count : 0,
    refiled: refiled.map((position) => orderId(frame, position)),
    dead: deadPositions.map((position) => orderId(frame, position)),
    doneAfterRetry,
  };
}

/** What was done about dead letters; the members are order ids. */
export interface LetterSteps {
  readonly replayed: readonly string[];
  readonly dropped: readonly string[];
}

/** To be called inside a write transaction. */
export function recordSettled(store: LocalStore, settled: SettledFrame): void {
  store.settled.put(bytes(settled.id), settledBytes(settled.count, Date.now()));
  for (const id of settled.refiled) store.exceptions.put(bytes(id), AGAIN);
  for (const id of settled.dead) store.exceptions.put(bytes(id), DEAD);
  for (const id of settled.doneAfterRetry) store.exceptions.remove(bytes(id));
}

/** Another journal has taken over the frame. To be called inside a write transaction. */
export function recordForwarded(store: LocalStore, { id, count, refiled }: Frame): void {
  if (refiled === null) store.forwarded.put(bytes(id), countBytes(count));
}

/** To be called inside a write transaction. */
export function recordLetterSteps(store: LocalStore, { replayed, dropped }: LetterSteps): void {
  for (const id of replayed) store.exceptions.put(bytes(id), AGAIN);
  for (const id of dropped) store.exceptions.put(bytes(id), DROPPED);
}

/**
 * What became of an order, as far as this store knows. Waiting frames are in `frames`, settled ones in `settled`;
 * those of their orders that are not done are in `exceptions`.
 */
export function findReceipt(store: LocalStore, frameId: string, index: number): Receipt {
  const count = store.settled.getBinary(bytes(frameId))?.readUInt32BE(0);
  if (count === undefined) return index < waitingCount(store, frameId) ? 'accepted' : 'unknown';
  if (index >= count) return 'unknown';
  const exception = store.exceptions.getBinary(bytes(`${frameId}-${index}`));
  if (exception === undefined) return 'done';
  return exception.equals(AGAIN) ? 'accepted' : 'dead';
}

/** The number of orders in a frame that is not settled; 0 when there is no such frame. */
function waitingCount(store: LocalStore, frameId: string): number {
  const start = bytes(frameId);
  const end = Buffer.concat([start, Buffer.from([AFTER])]);
  for (const key of store.frames.getKeys({ start, end, limit: 1 })) return freshFacts(key).count;
  return store.forwarded.getBinary(start)?.readUInt32BE(0) ?? 0;
}

function bytes(id: string): Buffer {
  return Buffer.from(id, 'latin1');
}

function settledBytes(count: number, nowMs: number): Buffer {
  const out = Buffer.alloc(SETTLED_BYTES);
  out.writeUInt32BE(count);
  out.writeUInt32BE(Math.floor(nowMs / 1000), COUNT_BYTES);
  return out;
}

/** When the frame of this row of `settled` was settled, epoch milliseconds; 0 when unknown. */
export function settledAtMs(row: Uint8Array): number {
  if (row.length < SETTLED_BYTES) return 0;
  return Buffer.from(row.buffer, row.byteOffset, row.length).readUInt32BE(COUNT_BYTES) * 1000;
}

/** Whether this row of `exceptions` is a dead letter that was dropped. */
export function isDropped(row: Uint8Array): boolean {
  return DROPPED.equals(row);
}

function countBytes(count: number): Buffer {
  const out = Buffer.alloc(COUNT_BYTES);
  out.writeUInt32BE(count);
  return out;
}
