import type { Frame, KeyedOrder, StoredKey } from '../../model/frame.js';
import { requireSealed, seal, UNSEALED_HEAD } from '../frame/checksum.js';
import { isKeyedOrder, isTime } from '../frame/record.js';
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
  const key = Buffer.from(id, 'latin1');
  const value = Buffer.from(UNSEALED_HEAD + JSON.stringify(row).slice(1));
  store.keys.put(key, seal(value, key));
}

/** How rows began before they had a checksum. */
const OLD_START = '{"acceptedAtMs":';

/** @throws Error the row is not as it was written; the message does not name it */
export function decodeKeys(key: Buffer, value: Buffer): StoredKey[] {
  requireSealed(value, key, OLD_START);
  const frameId = key.toString('latin1');
  const { acceptedAtMs, keys } = parse(value.toString());
  if (!isTime(acceptedAtMs) || !Array.isArray(keys) || !keys.every(isKeyedOrder)) {
    throw new Error('it has no keys');
  }
  return keys.map((keyed) => ({ ...keyed, frameId, acceptedAtMs }));
}

function parse(text: string): KeyRow {
  try {
    return JSON.parse(text) as KeyRow;
  } catch {
    throw new Error('it is not JSON');
  }
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

/**
 * All keys of frames accepted at or after `sinceMs`, epoch milliseconds.
 * @param onUnreadable called for each row that is not as it was written, with the reason; its keys are left out
 */
export function* storedKeys(
  store: LocalStore,
  sinceMs: number,
  onUnreadable: (key: Buffer, why: string) => void,
): Iterable<StoredKey> {
  for (const { key, value } of store.keys.getRange()) {
    const keys = decodedOr(key, value, onUnreadable);
    if (keys.length > 0 && keys[0]!.acceptedAtMs >= sinceMs) yield* keys;
  }
}

function decodedOr(
  key: Buffer,
  value: Buffer,
  onUnreadable: (key: Buffer, why: string) => void,
): StoredKey[] {
  try {
    return decodeKeys(key, value);
  } catch (error) {
    onUnreadable(Buffer.from(key), (error as Error).message);
    return [];
  }
}
