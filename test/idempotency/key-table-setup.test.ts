import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameIds } from '../../src/commit/frame-id.js';
import { KeyHasher } from '../../src/idempotency/key-hasher.js';
import { createKeyTableMemory, restoreKeys } from '../../src/idempotency/key-table-setup.js';
import { KeyTable, RESERVATION } from '../../src/memory/key-table.js';
import { OperatorFault } from '../../src/model/fault.js';
import type { StoredKey } from '../../src/model/frame.js';

const LIFE_S = 600;
const NOW_MS = 1_800_000_000_000;
const NOW_NS = 5e12;
const DIGEST = '0123456789abcdef';
const ids = new FrameIds();

function remembered(key: string, acceptedAtMs: number, digest = DIGEST): StoredKey {
  return { key, digest, position: 9999, frameId: ids.next(acceptedAtMs), acceptedAtMs };
}

async function load(keys: readonly StoredKey[], idempotencyKeysMax = 1000) {
  const options = { idempotencyS: LIFE_S, idempotencyKeysMax, commitMsMax: 1000 };
  const table = new KeyTable(createKeyTableMemory(options));
  let requestedSinceMs = 0;
  const leftOut = await restoreKeys(
    table,
    (sinceMs) => {
      requestedSinceMs = sinceMs;
      return keys;
    },
    { nowNs: () => NOW_NS, nowMs: () => NOW_MS },
  );
  assert.equal(requestedSinceMs, NOW_MS - LIFE_S * 1000);
  const hasher = new KeyHasher(table.shape.seeds);
  const find = (key: string, afterS = 0, digest = DIGEST) =>
    table.reserve(hasher.hashWithDigest(key, digest), NOW_NS + afterS * 1e9);
  return { table, leftOut, find };
}

describe('keys restored from a journal', () => {
  it('are found, with the place of their order', async () => {
    const key = remembered('k', NOW_MS - 1000);
    const { table, find, leftOut } = await load([key, remembered('other', NOW_MS)]);
    assert.equal(leftOut, 0);
    assert.equal(find('k'), RESERVATION.replay);
    assert.deepEqual([table.foundFrameId, table.foundPosition], [key.frameId, 9999]);
    assert.equal(find('k', 0, 'fedcba9876543210'), RESERVATION.conflict);
    assert.equal(find('never'), RESERVATION.acquired);
  });

  it('keep their remaining lifetime', async () => {
    const { find } = await load([
      remembered('gone', NOW_MS - LIFE_S * 1000),
      remembered('old', NOW_MS - (LIFE_S - 10) * 1000),
      remembered('young', NOW_MS),
    ]);
    assert.equal(find('gone'), RESERVATION.acquired);
    assert.equal(find('old', 9), RESERVATION.replay);
    assert.equal(find('old', 10), RESERVATION.acquired);
    assert.equal(find('young', LIFE_S - 1), RESERVATION.replay);
  });

  it('live at most one full lifetime if the wall clock was set back', async () => {
    const { find } = await load([remembered('k', NOW_MS + 3600_000)]);
    assert.equal(find('k', LIFE_S - 1), RESERVATION.replay);
    assert.equal(find('k', LIFE_S), RESERVATION.acquired);
  });

  it('keep the last order of a key that was used twice', async () => {
    const last = remembered('k', NOW_MS - 1000, 'fedcba9876543210');
    const { table, find } = await load([remembered('k', NOW_MS - 599_000), last]);
    assert.equal(find('k', 0, 'fedcba9876543210'), RESERVATION.replay);
    assert.equal(table.foundFrameId, last.frameId);
    assert.equal(table.size(NOW_NS), 1);
  });

  it('are counted if they do not fit or their frame id is invalid', async () => {
    const keys = Array.from({ length: 1003 }, (_, i) => remembered(`k${i}`, NOW_MS));
    assert.equal((await load(keys)).leftOut, 3);
    assert.equal((await load([{ ...remembered('k', NOW_MS), frameId: 'x' }])).leftOut, 1);
  });
});

it('a table that does not fit into memory is an operator fault', () => {
  const options = { idempotencyS: 1, idempotencyKeysMax: 1e15, commitMsMax: 1 };
  assert.throws(() => createKeyTableMemory(options), OperatorFault);
});
