import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  boundsOfExchanges,
  boundsOfReadings,
  countBySecond,
  mostInASecond,
  type Reading,
  refusedWithRoom,
  watchPeakRate,
} from '../../../k6/lib/limits.js';
import { directRun, drainRun, randomOf, seed } from './stutter.js';

const RUNS = 200;
const STALLS_MS = [0, 20, 200, 900];

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** Calls `check` with many seeds, and reports the seed that fails. */
function repeated(check: (run: { seed: number; stallMsMax: number }) => void): void {
  for (let i = 0; i < RUNS; i++) {
    const run = { seed: seed + i, stallMsMax: STALLS_MS[i % STALLS_MS.length]! };
    try {
      check(run);
    } catch (error) {
      throw new Error(`FOREBAY_SEED=${run.seed}, stalls up to ${run.stallMsMax} ms`, {
        cause: error,
      });
    }
  }
}

function peakOf(readings: readonly Reading[]) {
  const { add, peak } = watchPeakRate();
  for (const reading of readings) add(reading);
  return peak;
}

describe('the judgement of an admission limit', () => {
  const rates = { rps: 100, lastsS: 10 };

  it('never finds a fault in a right server, however much client and server stutter', () => {
    repeated(({ seed: start, stallMsMax }) => {
      const { created, refused } = directRun(randomOf(start), { limit: 50, ...rates, stallMsMax });
      assert.ok(mostInASecond(created) <= 50);
      assert.equal(refusedWithRoom(refused, created, 50), 0);
      const { upper, lower } = boundsOfExchanges(created, 0, 20);
      const seconds = countBySecond(upper, lower, 50);
      assert.equal(sum(seconds), created.length);
      assert.ok(Math.max(...seconds) <= 50, `${seconds}`);
      assert.ok(Math.min(...seconds) >= 0, `${seconds}`);
    });
  });

  it('finds a server that admits 5% too much, on a machine that stutters too', () => {
    repeated(({ seed: start, stallMsMax }) => {
      if (stallMsMax > 200) return;
      const { created } = directRun(randomOf(start), { limit: 53, ...rates, stallMsMax });
      assert.ok(mostInASecond(created) > 50);
    });
  });

  it('finds a server that refuses 5% too much', () => {
    repeated(({ seed: start, stallMsMax }) => {
      if (stallMsMax > 20) return;
      const { created, refused } = directRun(randomOf(start), { limit: 47, ...rates, stallMsMax });
      assert.ok(refusedWithRoom(refused, created, 50) > 0);
    });
  });

  it('counts only what was sent and answered within the second', () => {
    const at = (sentMs: number, answeredMs: number) => ({ sentMs, answeredMs });
    assert.equal(mostInASecond([]), 0);
    assert.equal(mostInASecond([at(0, 10), at(985, 995)]), 2);
    assert.equal(mostInASecond([at(0, 10), at(985, 1005)]), 1);
    assert.equal(mostInASecond([at(0, 2000)]), 0);
    // A slow exchange hides none of the others.
    assert.equal(mostInASecond([at(0, 3000), at(1500, 1510), at(1600, 1610)]), 2);
  });
});

describe('the judgement of a drain rate', () => {
  it('never finds a fault in a right server, however much server and reader stutter', () => {
    repeated(({ seed: start, stallMsMax }) => {
      const readings = drainRun(randomOf(start), { rate: 60, lastsS: 12, stallMsMax });
      assert.ok(peakOf(readings).perSecond <= 60);
      const { upper, lower } = boundsOfReadings(readings, 15);
      const seconds = countBySecond(upper, lower, 60);
      assert.equal(sum(seconds), readings.at(-1)!.count - readings[0]!.count);
      assert.ok(Math.max(...seconds) <= 60, `${seconds}`);
      assert.ok(Math.min(...seconds) >= 0, `${seconds}`);
    });
  });

  it('finds a server that is 5% too fast within a few seconds', () => {
    repeated(({ seed: start, stallMsMax }) => {
      if (stallMsMax > 20) return;
      const readings = drainRun(randomOf(start), { rate: 63, lastsS: 8, stallMsMax });
      assert.ok(peakOf(readings).perSecond > 60);
    });
  });

  it('says over how many seconds the highest rate was seen', () => {
    const readings = [0, 0.4, 1.9, 2.5].map((atS) => ({ atS, count: atS * 100 }));
    const { perSecond, overS } = peakOf(readings);
    assert.deepEqual([perSecond, overS], [95, 2]);
    assert.deepEqual(peakOf([]), { perSecond: 0, overS: 1, readings: 0 });
  });
});

describe('counts by second', () => {
  it('put an event into its earliest second that has room', () => {
    assert.deepEqual(countBySecond([3, 3, 3], [1, 3, 3], 2), [2, 1, 0]);
    assert.deepEqual(countBySecond([3, 3, 3], [1, 3, 3]), [3, 0, 0]);
    assert.deepEqual(countBySecond([2, 4, 6], [0, 2, 6], 2), [2, 2, 2]);
  });

  it('show a second above the limit where no other explanation is left', () => {
    assert.deepEqual(countBySecond([3, 3], [3, 3], 2), [3, 0]);
  });
});
