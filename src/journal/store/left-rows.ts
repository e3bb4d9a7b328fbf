import { LeftNotes, type LeftOrders } from '../../model/left-orders.js';
import { requireSealed, seal, UNSEALED_HEAD } from '../frame/checksum.js';
import type { LocalStore } from './local-store.js';

const META_KEY = Buffer.from('left');

/**
 * What processes on this store that died have left about frames, as far as those are not known to be settled. What the
 * last process left is durable when this returns.
 */
export function openLeftRows(store: LocalStore, left: readonly LeftOrders[]): LeftNotes {
  const notes = new LeftNotes(savedIn(store.meta.getBinary(META_KEY)));
  const isSettled = new Map<string, boolean>();
  for (const orders of left) {
    const { frameId } = orders;
    if (!isSettled.has(frameId)) {
      const row = store.settled.getBinary(Buffer.from(frameId, 'latin1'));
      isSettled.set(frameId, row !== undefined);
    }
    if (!isSettled.get(frameId)) notes.add(orders);
  }
  if (left.length > 0) store.transact(() => putLeft(store, notes));
  return notes;
}

/** To be called inside a write transaction. */
export function putLeft(store: LocalStore, notes: LeftNotes): void {
  if (notes.isEmpty) store.meta.remove(META_KEY);
  else store.meta.put(META_KEY, sealedRow(notes.all()));
}

const NOTES = '"notes":';

function sealedRow(notes: readonly LeftOrders[]): Buffer {
  return seal(Buffer.from(`${UNSEALED_HEAD}${NOTES}${JSON.stringify(notes)}}`), META_KEY);
}

/** Nothing if the row is not as it was written: then orders are processed again, as if there were none. */
function savedIn(row: Buffer | undefined): readonly LeftOrders[] {
  if (row === undefined) return [];
  try {
    requireSealed(row, META_KEY, `{${NOTES}`);
    return (JSON.parse(row.toString()) as { notes: LeftOrders[] }).notes;
  } catch {
    return [];
  }
}
