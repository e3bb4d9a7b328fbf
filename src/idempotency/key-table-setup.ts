import { createKeyMemory } from '../memory/key-layout.js';
import type { KeyTable } from '../memory/key-table.js';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { StoredKey } from '../model/frame.js';
import type { Options } from '../model/options.js';
import { KeyHasher } from './key-hasher.js';

const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;

/** Margin for the checks and grace periods of the group commit, which add up to 0.7 s. */
const GRACE_MS = 1000;

/** Memory for the idempotency keys of all threads. @throws OperatorFault not enough memory */
export function createKeyTableMemory(
  options: Pick<Options, 'idempotencyS' | 'idempotencyKeysMax' | 'commitMsMax'>,
): SharedArrayBuffer {
  const { idempotencyS, idempotencyKeysMax, commitMsMax } = options;
  // A frame can wait up to `commitMsMax` until it is sent, and again as long until it is durable.
  const pendingNs = (2 * commitMsMax + GRACE_MS) * NS_PER_MS;
  try {
    return createKeyMemory(idempotencyKeysMax, idempotencyS * NS_PER_S, pendingNs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OperatorFault(
      `not enough memory for --idempotency-keys-max ${idempotencyKeysMax}; fix: choose a smaller number`,
      EXIT.failed,
    );
  }
}

export interface TwoClocks {
  /** The clock of the table. */
  readonly nowNs: () => number;
  /** The clock of the journal, epoch milliseconds. */
  readonly nowMs: () => number;
}

/**
 * Fills the table with the keys that the journal kept across a restart. Each key keeps the lifetime it has left by the
 * wall clock, at most that of a new key.
 *
 * @returns how many keys did not fit
 */
export async function restoreKeys(
  table: KeyTable,
  keys: (sinceMs: number) => Iterable<StoredKey> | AsyncIterable<StoredKey>,
  { nowNs, nowMs }: TwoClocks,
): Promise<number> {
  const { seeds, lifeNs } = table.shape;
  const hasher = new KeyHasher(seeds);
  const startNs = nowNs();
  const startMs = nowMs();
  let leftOut = 0;
  for await (const { key, digest, frameId, position, acceptedAtMs } of keys(
    startMs - lifeNs / NS_PER_MS,
  )) {
    // The time of acceptance is in the future if the wall clock was set back.
    const ageNs = Math.max(0, startMs - acceptedAtMs) * NS_PER_MS;
    if (ageNs >= lifeNs) continue;
    const words = hasher.hashWithDigest(key, digest);
    const fits = table.restore(words, frameId, position, nowNs(), startNs + lifeNs - ageNs);
    if (!fits) leftOut++;
  }
  return leftOut;
}
