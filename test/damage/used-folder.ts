import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRecord } from '../../src/journal/frame/record.js';
import { openLocalAppender } from '../../src/journal/local/open.js';
import { putDeadLetter, spoolDeadLetter } from '../../src/journal/store/dead-letter-rows.js';
import { freshKey, putLater } from '../../src/journal/store/frame-rows.js';
import { recordKeys } from '../../src/journal/store/idempotency-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { recordForwarded, recordSettled } from '../../src/journal/store/receipt-rows.js';
import type { StoredDeadLetter } from '../../src/model/dead-letters.js';
import { fresh, newFrameId } from '../journal/frames.js';
import type { Owner } from '../support/forebay.js';

/** Of one order each, so that trees have branch pages, and of many, so that there are values on pages of their own. */
const FRAME_ORDERS = [1, 3, 40, 400];
const ROUNDS = 150;

/**
 * A data folder that was used for long: rows in every table, free pages in between, and frames in the log that are not
 * in the tables yet. No process has it open.
 */
export async function usedFolder(owner: Owner): Promise<string> {
  const folder = temporaryFolder(owner);
  const store = new LocalStore(folder);
  for (let round = 0; round < ROUNDS; round++) {
    await store.write(() => putRows(store, round));
    if (round % 3 === 0) await store.write(() => removeRows(store));
  }
  const appender = await openLocalAppender(folder);
  for (let i = 0; i < 20; i++) await appender.commit(fresh(2));
  await appender.close();
  await store.close();
  return folder;
}

export function temporaryFolder(owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-damage-'));
  owner.after(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A copy of its own, as `cp -r` makes it. */
export function copyOf(owner: Owner, folder: string): string {
  const copy = temporaryFolder(owner);
  // Not by Node, which stops at a file that gets another name meanwhile.
  spawnSync('cp', ['-a', `${folder}/.`, copy]);
  return copy;
}

function putRows(store: LocalStore, round: number): void {
  for (const count of FRAME_ORDERS) {
    const frame = fresh(count);
    const key = freshKey(frame);
    store.frames.put(key, encodeRecord(frame, key));
    const keys = [{ position: 0, key: `key-${round}-${count}`, digest: '0123456789abcdef' }];
    recordKeys(store, { ...frame, keys });
    putLater(store, { ...fresh(count), notBeforeMs: Date.now() + 3_600_000 });
    recordForwarded(store, fresh(count));
  }
  const settledId = newFrameId();
  recordSettled(store, {
    id: settledId,
    count: 5,
    refiled: [`${settledId}-1`],
    dead: [`${settledId}-2`],
    doneAfterRetry: [],
  });
  for (let i = 0; i < 4; i++) {
    const letter = deadLetter(`${newFrameId()}-${i}`, round);
    putDeadLetter(store, letter);
    spoolDeadLetter(store, { letter, messageId: `m-${round}-${i}` });
  }
}

function deadLetter(orderId: string, round: number): StoredDeadLetter {
  const body = Buffer.from(`{"product_id":"1","count":"2","username":"${'x'.repeat(round * 20)}"}`);
  return { orderId, reason: 'no such product', attempts: 3, firstAtMs: 1, lastAtMs: 2, body };
}

function removeRows(store: LocalStore): void {
  for (const table of [store.frames, store.dead, store.settled, store.forwarded]) {
    for (const key of [...table.getKeys({ limit: 5 })]) table.remove(Buffer.from(key));
  }
}
