import type { SettledFrame } from '../store/receipt-rows.js';

/** One step of a process, as it is stored in the ledger. */
export interface LedgerEntry {
  /** The process. */
  readonly by: string;
  /** Distinguishes this entry from all others of that process. */
  readonly nonce: string;
  /** Ids of frames that the process claims. */
  readonly claimed: readonly string[];
  readonly settled: readonly SettledFrame[];
  /** Ids of frames that it gives up unsettled. */
  readonly released: readonly string[];
  /** Ids of orders whose dead letters are replayed, or dropped. */
  readonly replayed: readonly string[];
  readonly dropped: readonly string[];
}

/** Changes nothing. */
export const NO_STEPS = {
  claimed: [],
  settled: [],
  released: [],
  replayed: [],
  dropped: [],
} as const satisfies Omit<LedgerEntry, 'by' | 'nonce'>;

/** A settled frame as it is written; trailing empty members are left out. */
type SettledTuple = [string, number, string[]?, string[]?, string[]?];

interface Written {
  readonly by: string;
  readonly n: string;
  readonly c?: readonly string[];
  readonly s?: readonly SettledTuple[];
  readonly r?: readonly string[];
  readonly a?: readonly string[];
  readonly x?: readonly string[];
}

export function encodeEntry(entry: LedgerEntry): Buffer {
  const { by, nonce, claimed, settled, released, replayed, dropped } = entry;
  const written: Written = {
    by,
    n: nonce,
    ...(claimed.length === 0 ? {} : { c: claimed }),
    ...(settled.length === 0 ? {} : { s: settled.map(tupleOf) }),
    ...(released.length === 0 ? {} : { r: released }),
    ...(replayed.length === 0 ? {} : { a: replayed }),
    ...(dropped.length === 0 ? {} : { x: dropped }),
  };
  return Buffer.from(JSON.stringify(written));
}

/** @throws Error the bytes are not an entry */
export function decodeEntry(bytes: Uint8Array): LedgerEntry {
  const written = JSON.parse(Buffer.from(bytes).toString()) as Written;
  const { by, n, c = [], s = [], r = [], a = [], x = [] } = written;
  if (typeof by !== 'string' || typeof n !== 'string') {
    throw new Error('not an entry of the ledger');
  }
  const settled = s.map(([id, count, refiled = [], dead = [], doneAfterRetry = []]) => ({
    id,
    count,
    refiled,
    dead,
    doneAfterRetry,
  }));
  return { by, nonce: n, claimed: c, settled, released: r, replayed: a, dropped: x };
}

/** About how many bytes a settled frame takes in an entry. */
export function settledBytes({ id, refiled, dead, doneAfterRetry }: SettledFrame): number {
  return (id.length + 10) * (1 + refiled.length + dead.length + doneAfterRetry.length);
}

function tupleOf({ id, count, refiled, dead, doneAfterRetry }: SettledFrame): SettledTuple {
  if (refiled.length + dead.length + doneAfterRetry.length === 0) return [id, count];
  return [id, count, [...refiled], [...dead], [...doneAfterRetry]];
}
