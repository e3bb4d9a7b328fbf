import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameIds } from '../../src/commit/frame-id.js';
import { keyMemory, rememberKeys } from '../../src/idempotency/key-memory.js';
import { KeyHasher } from '../../src/idempotency/key-words.js';
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
  const table = new KeyTable(keyMemory(options));
  let askedSinceMs = 0;
  const leftOut = await rememberKeys(
    table,
    (sinceMs) => {
      askedSinceMs = sinceMs;
      return keys;
    },
    { nowNs: () => NOW_NS, nowMs: () => NOW_MS },
  );
  assert.equal(askedSinceMs, NOW_MS - LIFE_S * 1000);
  const hasher = new KeyHasher(table.shape.seeds);
  const find = (key: string, afterS = 0, digest = DIGEST) =>
    table.reserve(hasher.wordsFrom(key, digest), NOW_NS + afterS * 1e9);
  return { table, leftOut, find };
}

describe('keys that a journal kept', () => {
  it('are known, with the order they stand for', async () => {
    const key = remembered('k', NOW_MS - 1000);
    const { table, find, leftOut } = await load([key, remembered('other', NOW_MS)]);
    assert.equal(leftOut, 0);
    assert.equal(find('k'), RESERVATION.kept);
    assert.deepEqual([table.foundFrameId, table.foundPosition], [key.frameId, 9999]);
    assert.equal(find('k', 0, 'fedcba9876543210'), RESERVATION.reused);
    assert.equal(find('never'), RESERVATION.taken);
  });

  it('live on for what they have left', async () => {
    const { find } = await load([
      remembered('gone', NOW_MS - LIFE_S * 1000),
      remembered('old', NOW_MS - (LIFE_S - 10) * 1000),
      remembered('young', NOW_MS),
    ]);
    assert.equal(find('gone'), RESERVATION.taken);
    assert.equal(find('old', 9), RESERVATION.kept);
    assert.equal(find('old', 10), RESERVATION.taken);
    assert.equal(find('young', LIFE_S - 1), RESERVATION.kept);
  });

  it('live a whole life when the wall clock was set back meanwhile, and no longer', async () => {
    const { find } = await load([remembered('k', NOW_MS + 3600_000)]);
    assert.equal(find('k', LIFE_S - 1), RESERVATION.kept);
    assert.equal(find('k', LIFE_S), RESERVATION.taken);
  });

  it('count by their last order where a key was used again', async () => {
    const last = remembered('k', NOW_MS - 1000, 'fedcba9876543210');
    const { table, find } = await load([remembered('k', NOW_MS - 599_000), last]);
    assert.equal(find('k', 0, 'fedcba9876543210'), RESERVATION.kept);
    assert.equal(table.foundFrameId, last.frameId);
    assert.equal(table.size(NOW_NS), 1);
  });

  it('that do not fit, or whose frame has no id, are counted', async () => {
    const keys = Array.from({ length: 1003 }, (_, i) => remembered(`k${i}`, NOW_MS));
    assert.equal((await load(keys)).leftOut, 3);
    assert.equal((await load([{ ...remembered('k', NOW_MS), frameId: 'x' }])).leftOut, 1);
  });
});

it('a table that does not fit into memory is the operator’s to mend', () => {
  const options = { idempotencyS: 1, idempotencyKeysMax: 1e15, commitMsMax: 1 };
  assert.throws(() => keyMemory(options), OperatorFault);
});
