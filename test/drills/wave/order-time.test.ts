import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptedAtMs } from '../../../k6/lib/order-time.js';
import { FrameIds } from '../../../src/commit/frame-id.js';

describe('the time in an order id', () => {
  it('is the time at which its frame was begun', () => {
    const ids = new FrameIds();
    for (const ms of [0, 1, 31, 32, 1_700_000_000_123, 2 ** 48 - 1]) {
      assert.equal(acceptedAtMs(`${ids.next(ms)}-17`), ms);
    }
  });

  it('is NaN for anything but an order id', () => {
    for (const id of [undefined, '', 'none', '0123456789ABCDEFGHJKMNPQRS', 'i'.repeat(26), 7]) {
      assert.ok(Number.isNaN(acceptedAtMs(id)));
    }
  });
});
