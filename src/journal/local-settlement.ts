import type { KeptDeadLetter } from '../contract/dead-letters.js';
import type { Frame } from '../contract/frame.js';
import type { Settlement } from '../contract/journal.js';
import { ageKey, laterKey } from './local-keys.js';
import type { LocalStore, Table } from './local-store.js';
import { recordSettled, settledFrame } from './receipts-table.js';
import { encodeRecord } from './record.js';
import { keptDeadLetters, refiledFrame } from './refile.js';

/**
 * The writes that settle a frame, to be made in one transaction and, should that fail, again: ids
 * and times are fixed here, once.
 */
export function settlementWrites(
  store: LocalStore,
  frame: Frame,
  row: { readonly table: Table; readonly key: Buffer },
  settlement: Settlement,
  newFrameId: () => string,
): () => void {
  const refiled = settlement.refile.map((refile) => refiledFrame(frame, refile, newFrameId()));
  const dead = keptDeadLetters(frame, settlement.dead, Date.now());
  const settled = settledFrame(frame, settlement);
  return () => {
    recordSettled(store, settled);
    for (const again of refiled) {
      store.later.put(laterKey(again), encodeRecord(again));
      store.ages.put(ageKey(again), Buffer.alloc(0));
    }
    for (const letter of dead) {
      store.dead.put(Buffer.from(letter.orderId, 'latin1'), deadLetterRecord(letter));
    }
    row.table.remove(row.key);
    if (row.table === store.later) store.ages.remove(ageKey(frame));
  };
}

/** JSON with the order as its last member, spelt byte for byte as it was accepted. */
function deadLetterRecord({ reason, attempts, firstAtMs, lastAtMs, body }: KeptDeadLetter): Buffer {
  const head = JSON.stringify({ reason, attempts, firstAtMs, lastAtMs });
  return Buffer.concat([Buffer.from(`${head.slice(0, -1)},"body":`), body, Buffer.from('}')]);
}
