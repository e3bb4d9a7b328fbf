import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BatchSize } from '../../src/drain/batch-size.js';
import { burstOf, Pace } from '../../src/drain/pace.js';
import { KeptControl } from '../../src/journal/kept-control.js';
import { backoffMs } from '../../src/model/backoff.js';

/** A pacer on a clock that the test moves. */
function pacerAt(rate: number) {
  const clock = { ns: 1e9 };
  const setting = { rate, followsSchedule: false, pause: null, by: 'test', atMs: 0 };
  const control = new KeptControl(setting);
  return { clock, control, pacer: new Pace(control, () => clock.ns) };
}

describe('the pacer', () => {
  for (const rate of [1, 7, 20, 60, 61, 1000, 1009]) {
    it(`grants at most ${rate} in any second, evenly, and not much less`, () => {
      const { clock, pacer } = pacerAt(rate);
      const times: number[] = [];
      const seconds = 4;
      for (let ms = 0; ms < seconds * 1000; ms++) {
        for (let taken = pacer.take(1e6); taken > 0; taken--) times.push(clock.ns);
        clock.ns += 1e6;
      }
      for (let i = 0; i + rate < times.length; i++) assert.ok(times[i + rate]! - times[i]! >= 1e9);
      const burst = burstOf(rate);
      const inFirstTenth = times.filter((time) => time < 1.1e9).length;
      assert.ok(inFirstTenth <= Math.ceil(0.1 * rate) + burst, `${inFirstTenth} in 100 ms`);
      // A clock that moves in whole milliseconds costs each of the 20 bursts in a second up to 1 ms.
      assert.ok(times.length >= seconds * rate * 0.95 - 1, `${times.length} in ${seconds} s`);
    });
  }

  it('follows each change of the rate at once', async () => {
    const { clock, control, pacer } = pacerAt(1000);
    const inNextSecond = () => {
      let taken = 0;
      for (let ms = 0; ms < 1000; ms++) {
        taken += pacer.take(1e6);
        clock.ns += 1e6;
      }
      return taken;
    };
    assert.equal(inNextSecond(), 1000);
    await control.change({ rate: 100, by: 'test' });
    // The second before had more than 100, and ends at each moment of this one.
    assert.ok(inNextSecond() <= 100);
    assert.ok(inNextSecond() <= 100);
    await control.change({ rate: 400, by: 'test' });
    assert.ok(inNextSecond() > 100);
    const steady = inNextSecond();
    assert.ok(steady <= 400 && steady >= 380, `${steady}`);
    await control.change({ pause: 'deploy', by: 'test' });
    assert.deepEqual([pacer.waitMs(), inNextSecond()], [Number.POSITIVE_INFINITY, 0]);
    await control.change({ pause: null, rate: 0, by: 'test' });
    assert.deepEqual([pacer.waitMs(), pacer.take(1e6)], [0, 1e6]);
    await control.change({ rate: 10, by: 'test' });
    assert.ok(inNextSecond() <= 10);
  });

  it('says how long to wait, and can then grant an order', () => {
    const { clock, pacer } = pacerAt(60);
    for (let i = 0; i < 200; i++) {
      assert.ok(pacer.take(1000) > 0);
      assert.equal(pacer.take(1000), 0);
      clock.ns += Math.ceil(pacer.waitMs() * 1e6);
    }
  });
});

describe('the size of a batch', () => {
  it('grows to what fits the target time, by doubling at most', () => {
    const size = new BatchSize(500, 200);
    const seen = [size.orders];
    for (let i = 0; i < 10; i++) {
      size.record(size.orders, size.orders * 1);
      seen.push(size.orders);
    }
    assert.deepEqual(seen.slice(0, 6), [8, 16, 32, 64, 128, 200]);
    assert.equal(size.orders, 200);
  });

  it('shrinks to one order when one takes longer than the target', () => {
    const size = new BatchSize(500, 200);
    for (let i = 0; i < 10; i++) size.record(size.orders, size.orders * 1000);
    assert.equal(size.orders, 1);
  });

  it('never passes its bound, however quick the handler', () => {
    const size = new BatchSize(500, 200);
    for (let i = 0; i < 20; i++) size.record(size.orders, 0);
    assert.equal(size.orders, 500);
  });
});

describe('the wait before a retry', () => {
  it('doubles up to its bound, at least half of it fixed', () => {
    const bounds = { retryMsMin: 100, retryMsMax: 1000 };
    const least = [1, 2, 3, 4, 5, 60].map((attempt) => backoffMs(attempt, bounds, () => 0));
    const most = [1, 2, 3, 4, 5, 60].map((attempt) => backoffMs(attempt, bounds, () => 1));
    assert.deepEqual(least, [50, 100, 200, 400, 500, 500]);
    assert.deepEqual(most, [100, 200, 400, 800, 1000, 1000]);
  });
});
