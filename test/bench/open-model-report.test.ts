/** What the open-model benches conclude from what was seen. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SeenPhase } from '../../bench/open-model/generator.js';
import type { Machine } from '../../bench/open-model/machine.js';
import type { OverloadRound } from '../../bench/open-model/overload.js';
import { overloadText, WINDOW_MS } from '../../bench/open-model/overload-report.js';
import { ratesText } from '../../bench/open-model/rates-report.js';

const machine: Machine = {
  date: '2026-11-24',
  model: 'some',
  cores: 2,
  memoryGb: 8,
  kernel: '6',
  node: 'v20',
  forebay: '0',
  natsServer: 'v2',
};

/** All of them answered alike: `ms` after they were due. */
function phase(ms: number, more: Partial<SeenPhase> = {}): SeenPhase {
  const counts = [[ms * 1e6, 1000]] as const;
  return {
    rate: 10_000,
    seconds: 1,
    due: 1000,
    sent: 1000,
    byStatus: { 200: 1000 },
    wrongBodies: 0,
    broken: 0,
    timedOut: 0,
    notOffered: 0,
    createdInTime: 1000,
    idleShare: 0.8,
    latency: counts,
    createdLatency: counts,
    service: counts,
    lateness: [[1000, 1000]],
    windows: [],
    ...more,
  };
}

function rates(bares: readonly SeenPhase[], own: readonly SeenPhase[]): string {
  const servers = [
    { name: 'bare uWebSockets.js', flags: [], rounds: bares.map((seen) => [seen]) },
    { name: 'Forebay, JetStream', flags: [], rounds: own.map((seen) => [seen]) },
  ];
  const run = { machine, serverCores: '0', connections: 256, seconds: 1, rates: [10_000], servers };
  return ratesText(run);
}

describe('the report on rates', () => {
  const bares = [phase(1), phase(1), phase(1)];

  it('judges the median p99 of the rounds, by itself and by the bare server beside it', () => {
    const text = rates(bares, [phase(2), phase(2.5), phase(9)]);
    assert.match(text, /2\.50 ms, at most 3 ms: holds; 2\.5 times bare, at most 3: holds/);
    assert.match(rates(bares, [phase(2), phase(4), phase(9)]), /4\.00 ms, at most 3 ms: MISSED/);
  });

  it('counts a request without an answer as slower than any', () => {
    const lost = phase(1, { timedOut: 11 });
    assert.match(rates(bares, [lost, lost, lost]), /Infinity ms, at most 3 ms: MISSED/);
  });

  for (const [what, more] of [
    ['was late', { lateness: [[2e6, 1000]] }],
    ['had no time to spare', { idleShare: 0.05 }],
  ] as const) {
    it(`leaves out rounds in which the generator ${what}, and voids a row with too few left`, () => {
      const disturbed = phase(9, more);
      const one = rates(bares, [phase(2), phase(2), disturbed]);
      assert.match(one, /Forebay, JetStream \| 2\.000 \| .* 2 of 3 \|/);
      assert.match(one, /2\.00 ms, at most 3 ms: holds/);
      const two = rates(bares, [phase(2), disturbed, disturbed]);
      assert.match(two, /Forebay, JetStream \| VOID \|.* 1 of 3 \|/);
      assert.match(rates(bares, [disturbed]), /VOID.*0 of 1.*not to be judged/s);
    });
  }
});

describe('the report on overload', () => {
  const windows = (ms: readonly number[]) =>
    ms.map((each) => ({ due: 100, created: 100, latency: [[each * 1e6, 100]] as const }));

  function overload(goodput: number, after: SeenPhase, more: Partial<SeenPhase> = {}): string {
    const factors = [1, 4].map((factor) => ({
      factor,
      before: phase(1),
      overload: phase(50, { createdInTime: factor === 1 ? 1000 : goodput }),
      after,
      memory: { serverMb: 100, behindMb: 0 },
    }));
    const round: OverloadRound = {
      capacity: phase(5, { createdInTime: 900, ...more }),
      memoryBefore: { serverMb: 90, behindMb: 0 },
      factors,
    };
    const servers = [{ name: 'shop', flags: [], rounds: [round] }];
    const run = { machine, serverCores: '0', connections: 1, timeoutMs: 1000, seconds: 1, servers };
    return overloadText(run);
  }

  it('holds goodput against the most that was seen under any load', () => {
    const well = phase(1, { windows: windows([1, 1, 1]) });
    assert.match(overload(960, well), /goodput at 4 times the capacity 0\.96 .*: holds/);
    assert.match(overload(900, well), /goodput at 4 times the capacity 0\.90 .*: MISSED/);
  });

  it('leaves out a round whose capacity is not known', () => {
    const well = phase(1, { windows: windows([1, 1, 1]) });
    assert.match(overload(960, well, { timedOut: 1 }), /no round counts/);
    assert.match(overload(960, well, { createdInTime: 0 }), /no round counts/);
  });

  it('takes it for recovered from the first of three quick windows in a row', () => {
    const late = phase(1, { windows: windows([9, 1, 9, 2, 1, 1, 9]) });
    assert.match(overload(1000, late), new RegExp(`recovered after ${4 * WINDOW_MS} ms at most`));
    const never = phase(1, { windows: windows([9, 1, 1, 9, 1, 1]) });
    assert.match(overload(1000, never), /not while watched.*MISSED/);
  });
});
