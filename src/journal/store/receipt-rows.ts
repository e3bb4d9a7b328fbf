import { type Frame, orderId } from '../../model/frame.js';
import type { Settlement } from '../../model/journal.js';
import type { Receipt } from '../../model/receipt.js';
import { sealBytes, unsealBytes } from '../frame/checksum.js';
import { freshFacts, type KeyFacts } from './frame-rows.js';
import type { LocalStore, Table } from './local-store.js';
import { unreadableFrame } from './unreadable-rows.js';

/** Values of the table `exceptions`: refiled and not done yet; a dead letter; a dead letter that was dropped. */
const AGAIN = Buffer.from('a');
const DEAD = Buffer.from('d');
const DROPPED = Buffer.from('x');

/**
 * A row of `settled`: the number of orders accepted in the frame, and when it was settled, epoch seconds. These and the
 * rows of `forwarded` and `exceptions` have their checksum behind them.
 */
const COUNT_BYTES = 4;
const SETTLED_BYTES = 8;
const EXCEPTION_BYTES = 1;

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
  put(store.settled, settled.id, settledBytes(settled.count, Date.now()));
  for (const id of settled.refiled) put(store.exceptions, id, AGAIN);
  for (const id of settled.dead) put(store.exceptions, id, DEAD);
  for (const id of settled.doneAfterRetry) store.exceptions.remove(bytes(id));
}

/** Another journal has taken over the frame. To be called inside a write transaction. */
export function recordForwarded(store: LocalStore, { id, count, refiled }: Frame): void {
  if (refiled === null) put(store.forwarded, id, countBytes(count));
}

/** To be called inside a write transaction. */
export function recordLetterSteps(store: LocalStore, { replayed, dropped }: LetterSteps): void {
  for (const id of replayed) put(store.exceptions, id, AGAIN);
  for (const id of dropped) put(store.exceptions, id, DROPPED);
}

function put(table: Table, id: string, value: Buffer): void {
  const key = bytes(id);
  table.put(key, sealBytes(value, key));
}

/**
 * What became of an order, as far as this store knows. Settled frames are in `settled`; those of their orders that are
 * not done are in `exceptions`.
 * @param fresh the frame if it waits; by default, looked for in the tables
 * @throws Error a row is not as it was written
 */
export function findReceipt(
  store: LocalStore,
  frameId: string,
  index: number,
  fresh = freshRow(store, frameId),
): Receipt {
  const settled = read(store, 'settled', frameId, COUNT_BYTES, SETTLED_BYTES);
  if (settled === null) {
    const count = fresh?.count ?? otherCount(store, frameId);
    return index < count ? 'accepted' : 'unknown';
  }
  if (index >= settled.readUInt32BE()) return 'unknown';
  const exception = read(store, 'exceptions', `${frameId}-${index}`, EXCEPTION_BYTES);
  if (exception === null) return 'done';
  return exception.equals(AGAIN) ? 'accepted' : 'dead';
}

/** A fresh frame that waits; null when there is none in the tables. */
export function freshRow(store: LocalStore, frameId: string): KeyFacts | null {
  const start = bytes(frameId);
  const end = Buffer.concat([start, Buffer.from([AFTER])]);
  for (const key of store.frames.getKeys({ start, end, limit: 1 })) return freshFacts(key);
  return null;
}

/** The number of orders in a frame that cannot be read, or that another journal has; 0 when there is no such frame. */
function otherCount(store: LocalStore, frameId: string): number {
  const unreadable = unreadableFrame(store, frameId);
  if (unreadable !== null) return freshFacts(unreadable).count;
  return read(store, 'forwarded', frameId, COUNT_BYTES)?.readUInt32BE() ?? 0;
}

/** @throws Error the row is not as it was written */
function read(
  store: LocalStore,
  table: 'settled' | 'forwarded' | 'exceptions',
  id: string,
  ...lengths: readonly number[]
): Buffer | null {
  const key = bytes(id);
  const row = store[table].getBinary(key);
  if (row === undefined) return null;
  try {
    return unsealBytes(row, key, ...lengths);
  } catch (error) {
    throw new Error(`the row ${id} of the table ${table} is damaged: ${(error as Error).message}`);
  }
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
export function settledAtMs(row: Buffer, key: Buffer): number {
  const value = valueOr(row, key, COUNT_BYTES, SETTLED_BYTES);
  return value?.length === SETTLED_BYTES ? value.readUInt32BE(COUNT_BYTES) * 1000 : 0;
}

/** Whether this row of `settled` is as it was written, under this key. Rows of older versions have no checksum. */
export function isSettledRow(row: Buffer, key: Buffer): boolean {
  return valueOr(row, key, COUNT_BYTES, SETTLED_BYTES) !== null;
}

/** Whether this row of `exceptions` is a dead letter that was dropped. */
export function isDropped(row: Buffer, key: Buffer): boolean {
  return valueOr(row, key, EXCEPTION_BYTES)?.equals(DROPPED) ?? false;
}

/** Null when the row is not as it was written. */
function valueOr(row: Buffer, key: Buffer, ...lengths: readonly number[]): Buffer | null {
  try {
    return unsealBytes(row, key, ...lengths);
  } catch {
    return null;
  }
}

function countBytes(count: number): Buffer {
  const out = Buffer.alloc(COUNT_BYTES);
  out.writeUInt32BE(count);
  return out;
}
