import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptedAtMs } from '../../k6/lib/order-time.js';
import { FrameIds } from '../../src/commit/frame-id.js';

describe('frame ids', () => {
  it('are 26 characters of the ULID alphabet', () => {
    assert.match(new FrameIds().next(Date.now()), /^[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it('sort by time, and by counter within a millisecond', () => {
    const ids = new FrameIds();
    const made = [1, 1, 1, 2, 1000, 2 ** 40, 2 ** 40].map((ms) => ids.next(ms));
    assert.deepEqual([...made].sort(), made);
  });

  it('are unique if the clock is set back, and across two instances at the same time', () => {
    const one = new FrameIds();
    const other = new FrameIds();
    const made = [5, 4, 3, 5, 4, 3].flatMap((ms) => [one.next(ms), other.next(ms)]);
    assert.equal(new Set(made).size, made.length);
  });

  it('contain the time that k6 reads from an order id', () => {
    const nowMs = Date.now();
    assert.equal(acceptedAtMs(`${new FrameIds().next(nowMs)}-17`), nowMs);
  });
});
