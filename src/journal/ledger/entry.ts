import type { FrameProgress, LeftOrders } from '../../model/left-orders.js';
import type { SettledFrame } from '../store/receipt-rows.js';

/** A frame that a process claims. */
export interface ClaimedFrame {
  readonly id: string;
  /** The number of the message that it was delivered with; 0 in what 0.2.0 and older versions have written. */
  readonly seq: number;
  /** How many orders from its front may begin as soon as it is claimed. */
  readonly begun: number;
}

/** How far the process that has claimed the frame is with it. */
export interface NotedProgress extends FrameProgress {
  readonly frameId: string;
}

/** One step of a process, as it is stored in the ledger. */
export interface LedgerEntry {
  /** The process. */
  readonly by: string;
  /** Distinguishes this entry from all others of that process. */
  readonly nonce: string;
  readonly claimed: readonly ClaimedFrame[];
  readonly settled: readonly SettledFrame[];
  /** Ids of frames that it gives up unsettled. */
  readonly released: readonly string[];
  /** Ids of orders whose dead letters are replayed, or dropped. */
  readonly replayed: readonly string[];
  readonly dropped: readonly string[];
  /** What a process that died has left about frames; or an order that begins alone: see `Delivery.startsAlone`. */
  readonly left: readonly LeftOrders[];
  readonly progress: readonly NotedProgress[];
}

/** Changes nothing. */
export const NO_STEPS = {
  claimed: [],
  settled: [],
  released: [],
  replayed: [],
  dropped: [],
  left: [],
  progress: [],
} as const satisfies Omit<LedgerEntry, 'by' | 'nonce'>;

/** A settled frame as it is written; trailing empty members are left out. */
type SettledTuple = [string, number, string[]?, string[]?, string[]?];

/** Frame, first position, count, crashes, 1 if alone. */
type LeftTuple = [string, number, number, number, 0 | 1];

/** Frame, begun, ended, positions that failed. */
type ProgressTuple = readonly [string, number, number, ...number[]];

interface Written {
  readonly by: string;
  readonly n: string;
  readonly c?: readonly string[];
  /** Numbers of the messages of `c`, in the same order. */
  readonly q?: readonly number[];
  /** How many orders of each may begin at once. */
  readonly g?: readonly number[];
  readonly s?: readonly SettledTuple[];
  readonly r?: readonly string[];
  readonly a?: readonly string[];
  readonly x?: readonly string[];
  readonly d?: readonly LeftTuple[];
  readonly b?: readonly ProgressTuple[];
}

export function encodeEntry(entry: LedgerEntry): Buffer {
  const { by, nonce, claimed, settled, released, replayed, dropped, left, progress } = entry;
  const written: Written = {
    by,
    n: nonce,
    ...(claimed.length === 0
      ? {}
      : {
          c: claimed.map(({ id }) => id),
          q: claimed.map(({ seq }) => seq),
          g: claimed.map(({ begun }) => begun),
        }),
    ...(settled.length === 0 ? {} : { s: settled.map(tupleOf) }),
    ...(released.length === 0 ? {} : { r: released }),
    ...(replayed.length === 0 ? {} : { a: replayed }),
    ...(dropped.length === 0 ? {} : { x: dropped }),
    ...(left.length === 0 ? {} : { d: left.map(leftTupleOf) }),
    ...(progress.length === 0 ? {} : { b: progress.map(progressTupleOf) }),
  };
  return Buffer.from(JSON.stringify(written));
}

/** @throws Error the bytes are not an entry: another program can write to the stream */
export function decodeEntry(bytes: Uint8Array): LedgerEntry {
  const written: unknown = JSON.parse(Buffer.from(bytes).toString());
  if (!isWritten(written)) throw new Error('not an entry of the ledger');
  const { by, n, c = [], q = [], g = [], s = [], r = [], a = [], x = [], d = [], b = [] } = written;
  const claimed = c.map((id, i) => ({ id, seq: q[i] ?? 0, begun: g[i] ?? 0 }));
  const settled = s.map(([id, count, refiled = [], dead = [], doneAfterRetry = []]) => ({
    id,
    count,
    refiled,
    dead,
    doneAfterRetry,
  }));
  const left = d.map(([frameId, first, count, crashes, isAlone]) => ({
    frameId,
    first,
    count,
    crashes,
    isAlone: isAlone === 1,
  }));
  const progress = b.map(([frameId, begun, ended, ...failed]) => ({
    frameId,
    begun,
    ended,
    failed,
  }));
  return { by, nonce: n, claimed, settled, released: r, replayed: a, dropped: x, left, progress };
}

function isWritten(value: unknown): value is Written {
  if (typeof value !== 'object' || value === null) return false;
  const {
    by,
    n,
    c = [],
    q = [],
    g = [],
    s = [],
    r = [],
    a = [],
    x = [],
    d = [],
    b = [],
  } = value as Partial<Written>;
  return (
    isId(by) &&
    typeof n === 'string' &&
    [c, r, a, x].every(areIds) &&
    [q, g].every(areNaturals) &&
    Array.isArray(s) &&
    s.every(isSettled) &&
    Array.isArray(d) &&
    d.every(isLeft) &&
    Array.isArray(b) &&
    b.every(isProgress)
  );
}

function isSettled(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [id, count, ...lists] = value as unknown[];
  return isId(id) && isNatural(count) && lists.length <= 3 && lists.every(areIds);
}

/** Each order is looked at. No frame has more: see --frame-orders-max. */
const LEFT_ORDERS_MAX = 10_000;

function isLeft(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [id, ...numbers] = value as unknown[];
  const isPossible = (numbers[1] as number) <= LEFT_ORDERS_MAX;
  return isId(id) && numbers.length === 4 && numbers.every(isNatural) && isPossible;
}

function isProgress(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [id, ...numbers] = value as unknown[];
  return isId(id) && numbers.length >= 2 && numbers.every(isNatural);
}

function areIds(value: unknown): boolean {
  return Array.isArray(value) && value.every(isId);
}

function areNaturals(value: unknown): boolean {
  return Array.isArray(value) && value.every(isNatural);
}

function isNatural(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Of a process, frame or order: a key of the store. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{1,128}$/.test(value);
}

/** About how many bytes a settled frame takes in an entry. */
export function settledBytes({ id, refiled, dead, doneAfterRetry }: SettledFrame): number {
  return (id.length + 10) * (1 + refiled.length + dead.length + doneAfterRetry.length);
}

function leftTupleOf({ frameId, first, count, crashes, isAlone }: LeftOrders): LeftTuple {
  return [frameId, first, count, crashes, isAlone ? 1 : 0];
}

function progressTupleOf({ frameId, begun, ended, failed }: NotedProgress): ProgressTuple {
  return [frameId, begun, ended, ...failed];
}

/** About how many bytes the progress of a frame takes in an entry. */
export function progressBytes({ failed }: FrameProgress): number {
  return 45 + 5 * failed.length;
}

function tupleOf({ id, count, refiled, dead, doneAfterRetry }: SettledFrame): SettledTuple {
  if (refiled.length + dead.length + doneAfterRetry.length === 0) return [id, count];
  return [id, count, [...refiled], [...dead], [...doneAfterRetry]];
}
