/** The reports of the open-model benchmarks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SeenPhase } from '../../bench/open-model/generator.js';
import type { Machine } from '../../bench/open-model/machine.js';
import {
  type OverloadRound,
  overloadText,
  WINDOW_MS,
} from '../../bench/open-model/overload-report.js';
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

/** All requests answered `ms` after they were due. */
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

  it('has the median p99 of the rounds, and their range', () => {
    const text = rates(bares, [phase(2), phase(2.5), phase(9)]);
    assert.match(text, /Forebay, JetStream \| 2\.500 \| 2\.500 \| 2\.000 to 9\.000 \|/);
  });

  it('counts a request without a response as slower than any other', () => {
    const lost = phase(1, { timedOut: 11 });
    assert.match(
      rates(bares, [lost, lost, lost]),
      /Forebay, JetStream \| 1\.000 \| no answer \| no answer to no answer \|/,
    );
  });

  for (const [what, more] of [
    ['was late', { lateness: [[2e6, 1000]] }],
    ['had no time to spare', { idleShare: 0.05 }],
  ] as const) {
    it(`leaves out rounds in which the generator ${what}, and voids a row with too few rounds left`, () => {
      const disturbed = phase(9, more);
      const one = rates(bares, [phase(2), phase(2), disturbed]);
      assert.match(one, /Forebay, JetStream \| 2\.000 \| .* 2 of 3 \|/);
      const two = rates(bares, [phase(2), disturbed, disturbed]);
      assert.match(two, /Forebay, JetStream \| void \|.* 1 of 3 \|/);
      assert.match(rates(bares, [disturbed]), /void.*0 of 1/s);
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

  const quick = phase(1, { windows: windows([1, 1, 1]) });

  it('compares goodput with the peak under any load', () => {
    assert.match(overload(960, quick), /4 × \| 10,000 \| 1,000 \| 960 \| 0\.96 \|/);
    assert.match(overload(2000, quick), /1 × \| 10,000 \| 1,000 \| 1,000 \| 0\.50 \|/);
  });

  it('leaves out a round whose capacity is not known', () => {
    assert.match(overload(960, quick, { timedOut: 1 }), /no round counts/);
    assert.match(overload(960, quick, { createdInTime: 0 }), /no round counts/);
  });

  it('counts a server as recovered from the first of three quick windows in a row', () => {
    const late = phase(1, { windows: windows([9, 1, 9, 2, 1, 1, 9]) });
    assert.match(overload(1000, late), new RegExp(`4 × .*\\| ${4 * WINDOW_MS} \\|`));
    const never = phase(1, { windows: windows([9, 1, 1, 9, 1, 1]) });
    assert.match(overload(1000, never), /4 × .*\| not observed \|/);
  });
});
