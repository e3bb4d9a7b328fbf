import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RpsMeter } from '../../src/limit/meter.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);
const BUCKET_NS = 100e6;

const moves = fc.array(
  fc.record({
    thread: fc.nat(2),
    count: fc.nat(50),
    stepNs: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 3 * BUCKET_NS }) },
      { weight: 2, arbitrary: fc.constantFrom(BUCKET_NS, 15 * BUCKET_NS, 16 * BUCKET_NS) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(2 ** 32, 4096 * BUCKET_NS, (2 ** 32 * BUCKET_NS) / 64),
      },
    ),
  }),
  { maxLength: 80 },
);

test('random schedules: the rate is the hits of the ten buckets before the current one', (t) => {
  t.diagnostic(`FOREBAY_SEED=${seed}`);
  const check = fc.property(fc.nat(1e12), moves, (startNs, schedule) => {
    let nowNs = startNs;
    const memory = RpsMeter.memory();
    const meters = Array.from({ length: 3 }, () => new RpsMeter(memory, () => nowNs));
    const hits: { epoch: number; count: number }[] = [];
    for (const { thread, count, stepNs } of schedule) {
      nowNs += stepNs;
      const epoch = Math.floor(nowNs / BUCKET_NS);
      meters[thread].hit(count);
      hits.push({ epoch, count });
      const counted = hits.filter((hit) => hit.epoch < epoch && hit.epoch >= epoch - 10);
      const expected = counted.reduce((sum, hit) => sum + hit.count, 0);
      assert.equal(meters[(thread + 1) % 3].perSecond(), expected);
    }
  });
  fc.assert(check, { seed, numRuns: 1000 });
});

test('a full bucket stays full and keeps its epoch', () => {
  let nowNs = 5 * BUCKET_NS;
  const meter = new RpsMeter(RpsMeter.memory(), () => nowNs);
  meter.hit(2 ** 21);
  meter.hit(7);
  nowNs += BUCKET_NS;
  assert.equal(meter.perSecond(), 2 ** 21 - 1);
});
