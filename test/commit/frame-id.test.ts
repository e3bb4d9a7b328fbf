import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptedAtMs } from '../../k6/lib/order-time.js';
import { FrameIds } from '../../src/commit/frame-id.js';
import { packFrameId, unpackFrameId } from '../../src/memory/packed-frame-id.js';
import { FRAME_ID_ALPHABET } from '../../src/model/frame.js';

/** The last characters of an id are random. */
const RANDOM_CHARS = 13;

describe('frame ids', () => {
  it('are 26 characters of the ULID alphabet', () => {
    assert.match(new FrameIds().next(Date.now()), /^[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it('sort by time, and by sequence within a millisecond', () => {
    const ids = new FrameIds();
    const made = [1, 1, 1, 2, 1000, 2 ** 40, 2 ** 40].map((ms) => ids.next(ms));
    assert.deepEqual([...made].sort(), made);
    const sameMs = Array.from({ length: 5000 }, () => ids.next(2 ** 41));
    assert.deepEqual([...sameMs].sort(), sameMs);
  });

  it('are unique if the clock is set back, and across two instances at the same time', () => {
    const one = new FrameIds();
    const other = new FrameIds();
    const made = [5, 4, 3, 5, 4, 3].flatMap((ms) => [one.next(ms), other.next(ms)]);
    assert.equal(new Set(made).size, made.length);
  });

  it('end with 65 random bits, which no other id tells', () => {
    const one = new FrameIds();
    const other = new FrameIds();
    const ends = Array.from({ length: 2000 }, () => [one.next(1), other.next(1)])
      .flat()
      .map((id) => id.slice(-RANDOM_CHARS));
    assert.equal(new Set(ends).size, ends.length);
    for (let at = 0; at < RANDOM_CHARS; at++) {
      // A character of 32 is missing by chance with a probability of e^-120.
      assert.equal(new Set(ends.map((end) => end[at])).size, FRAME_ID_ALPHABET.length);
      // Two ids in a row have the same character in one of 32 cases, and in one of 8 by chance never.
      const same = ends.filter((end, i) => i > 0 && end[at] === ends[i - 1]![at]).length;
      assert.ok(same < ends.length / 8, `character ${at} repeats ${same} times`);
    }
  });

  it('keep all their bits in shared memory', () => {
    const ids = new FrameIds();
    const words = new Int32Array(4);
    for (let i = 0; i < 1000; i++) {
      const id = ids.next(Date.now());
      assert.ok(packFrameId(id, words));
      assert.equal(unpackFrameId(words, 0), id);
    }
  });

  it('contain the time that k6 reads from an order id', () => {
    const nowMs = Date.now();
    assert.equal(acceptedAtMs(`${new FrameIds().next(nowMs)}-17`), nowMs);
  });
});
