import type { Frame, KeyedOrder, StoredKey } from '../../model/frame.js';
import type { LocalStore } from './local-store.js';

/** The value of a row of `keys`: when its frame was accepted, and the keys of its orders. */
interface KeyRow {
  readonly acceptedAtMs: number;
  readonly keys: readonly KeyedOrder[];
}

/**
 * Stores the keys of a frame for longer than the frame itself: one row per frame, in the order of time, so that it
 * costs no more than the frame did. To be called inside a write transaction.
 */
export function recordKeys(
  store: LocalStore,
  { id, acceptedAtMs, keys }: Pick<Frame, 'id' | 'acceptedAtMs' | 'keys'>,
): void {
  if (keys.length === 0) return;
  const row: KeyRow = { acceptedAtMs, keys };
  store.keys.put(Buffer.from(id, 'latin1'), Buffer.from(JSON.stringify(row)));
}

/**
 * The same in a transaction of its own, unless it is stored already.
 * @throws Error the disk takes no writes
 */
export async function storeKeys(
  store: LocalStore,
  frame: Pick<Frame, 'id' | 'acceptedAtMs' | 'keys'>,
): Promise<void> {
  if (frame.keys.length === 0 || store.keys.doesExist(Buffer.from(frame.id, 'latin1'))) return;
  await store.write(() => recordKeys(store, frame));
}

/** All keys of frames accepted at or after `sinceMs`, epoch milliseconds. */
export function* storedKeys(store: LocalStore, sinceMs: number): Iterable<StoredKey> {
  for (const { key, value } of store.keys.getRange()) {
    const { acceptedAtMs, keys } = JSON.parse(value.toString()) as KeyRow;
    if (acceptedAtMs < sinceMs) continue;
    const frameId = key.toString('latin1');
    for (const keyed of keys) yield { ...keyed, frameId, acceptedAtMs };
  }
}
