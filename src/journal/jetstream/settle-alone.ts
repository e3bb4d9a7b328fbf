import type { Frame } from '../../model/frame.js';
import { encodeRecord } from '../frame/record.js';
import { type AddressedDeadLetter, spoolDeadLetter } from '../store/dead-letter-rows.js';
import { GROUP_BYTES_MAX, type GroupedWrites } from '../store/grouped-writes.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { recordSettled, type SettledFrame } from '../store/receipts-table.js';
import { ageKey, laterKey } from '../store/row-keys.js';

/** The end of a frame, and what of it is filed anew. All ids and times are fixed, so that filing it twice is filing it once. */
export interface FrameEnd {
  readonly frame: Frame;
  readonly settled: SettledFrame;
  readonly refiled: readonly Frame[];
  readonly dead: readonly AddressedDeadLetter[];
}

/**
 * Settles a frame in this process's own store, for a stop while NATS is away: delivered to this process again, the
 * frame counts as settled; what is to be tried again waits in the spool, dead letters beside it.
 *
 * @throws Error the disk takes no writes
 */
export async function settleAlone(
  store: LocalStore,
  writes: GroupedWrites,
  end: FrameEnd,
): Promise<void> {
  const { frame, settled, refiled, dead } = end;
  // What is filed anew has a transaction of its own: at a stop, all that is in hand is.
  const bytes = refiled.length + dead.length === 0 ? 0 : GROUP_BYTES_MAX;
  await writes.write(() => {
    recordSettled(store, settled);
    recordKeys(store, frame);
    for (const again of refiled) {
      store.later.put(laterKey(again), encodeRecord(again));
      store.ages.put(ageKey(again), Buffer.alloc(0));
    }
    for (const addressed of dead) spoolDeadLetter(store, addressed);
  }, bytes);
}
