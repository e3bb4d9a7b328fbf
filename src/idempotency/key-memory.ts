import { createKeyMemory } from '../memory/key-layout.js';
import type { KeyTable } from '../memory/key-table.js';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { StoredKey } from '../model/frame.js';
import type { Options } from '../model/options.js';
import { KeyHasher } from './key-words.js';

const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;

/** What the group commit takes beyond its own bounds, whose checks and graces come to 0.7 s; milliseconds. */
const GRACE_MS = 1000;

/** The table of idempotency keys for all threads. @throws OperatorFault when there is not so much memory */
export function keyMemory(
  options: Pick<Options, 'idempotencyS' | 'idempotencyKeysMax' | 'commitMsMax'>,
): SharedArrayBuffer {
  const { idempotencyS, idempotencyKeysMax, commitMsMax } = options;
  // A frame may wait for so long until it is sent, and then for so long until it is durable.
  const pendingNs = (2 * commitMsMax + GRACE_MS) * NS_PER_MS;
  try {
    return createKeyMemory(idempotencyKeysMax, idempotencyS * NS_PER_S, pendingNs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OperatorFault(
      `--idempotency-keys-max ${idempotencyKeysMax}: there is not so much memory for it; give it less`,
      EXIT.failed,
    );
  }
}

export interface TwoClocks {
  /** Of the table. */
  readonly nowNs: () => number;
  /** Epoch milliseconds, of the journal. */
  readonly nowMs: () => number;
}

/**
 * Fills the table with the keys that a journal kept over a restart; each lives on for as long as it has
 * left by the wall clock, and never longer than a new one.
 *
 * @returns how many were left out, because they do not fit
 */
export async function rememberKeys(
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
    // A clock that was set back meanwhile makes the time of acceptance one to come.
    const ageNs = Math.max(0, startMs - acceptedAtMs) * NS_PER_MS;
    if (ageNs >= lifeNs) continue;
    const words = hasher.wordsFrom(key, digest);
    const fits = table.remember(words, frameId, position, nowNs(), startNs + lifeNs - ageNs);
    if (!fits) leftOut++;
  }
  return leftOut;
}
