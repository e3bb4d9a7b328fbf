import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { GENERATION_BYTES, isLater, nextGeneration } from '../../src/journal/frame/generation.js';
import { recordHead, resemblesHead } from '../../src/journal/frame/log-record.js';

describe('generations of a segment', () => {
  it('are later than the one before, also when the clock was set back', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 1) });
    let before = nextGeneration(null);
    for (const stepMs of [0, 1, 1000, -3_600_000, 0, 5]) {
      t.mock.timers.setTime(Math.max(0, Date.now() + stepMs));
      const next = nextGeneration(before);
      assert.equal(next.length, GENERATION_BYTES);
      assert.equal(isLater(next, before), true);
      assert.equal(isLater(before, next), false);
      before = next;
    }
  });

  it('of an older version are not compared', () => {
    const known = nextGeneration(null);
    const old = Array.from({ length: 1000 }, () => randomBytes(GENERATION_BYTES));
    const compared = old.filter((one) => isLater(one, known) !== null);
    assert.ok(compared.length <= 3, `${compared.length} of 1000`);
    assert.equal(isLater(known, Buffer.alloc(GENERATION_BYTES)), null);
    assert.ok(nextGeneration(old[0]!).length === GENERATION_BYTES);
  });

  it('are told apart by their bytes, although some of a head are damaged', () => {
    const [key, header, payload] = [Buffer.from('key'), Buffer.from('{}\n'), Buffer.from('{}\n')];
    const row = { key, header, payload, isKeyed: false };
    let before = nextGeneration(null);
    for (let i = 0; i < 200; i++) {
      const next = nextGeneration(before);
      const head = recordHead(row, next, 0);
      assert.equal(resemblesHead(head, before), false);
      for (const at of [0, 3, 8, 15]) head[at]! ^= 0xff;
      assert.equal(resemblesHead(head, next), true);
      before = next;
    }
  });
});
