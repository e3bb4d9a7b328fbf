import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REFERENCE } from '../../bench/contestants/bare.js';
import { continued } from '../../bench/harness/continue.js';
import type { Report } from '../../bench/harness/report.js';
import { fewestRounds, rateOf, ratio } from '../../bench/harness/rows.js';
import { FASTIFY, JETSTREAM, sampleReport } from './sample-report.js';

const ORDER = [REFERENCE, JETSTREAM, FASTIFY].map((name) => ({ name }));
const WHERE = { connections: 256, body: 'plain', batch: 1 };

const saved = sampleReport({ [REFERENCE]: [100_000, 200_000], [FASTIFY]: [10_000, 30_000] });
const begun: Report = {
  ...sampleReport({ [REFERENCE]: [], [JETSTREAM]: [] }),
  cases: [{ connections: 64, body: 'plain', batch: 10 }, WHERE],
};

describe('a run that continues a saved report', () => {
  it('has the contestants and cases of both, in the order of tables', () => {
    const report = continued(saved, begun, ORDER);
    assert.deepEqual(
      report.entrants.map(({ name }) => name),
      ORDER.map(({ name }) => name),
    );
    assert.deepEqual(
      report.cases.map(({ batch }) => batch),
      [1, 10],
    );
    assert.equal(report.measured.length, 4);
  });

  it('compares only measurements of the same round', () => {
    const { measured, ...others } = continued(saved, begun, ORDER);
    const add = (contestant: string, ordersPerSecond: number) => ({
      ...measured[0]!,
      contestant,
      round: 3,
      figures: { ...measured[0]!.figures, ordersPerSecond },
    });
    const report = {
      ...others,
      measured: [...measured, add(REFERENCE, 50_000), add(JETSTREAM, 40_000)],
    };
    assert.equal(ratio(report, WHERE, JETSTREAM, REFERENCE, rateOf)!.median, 0.8);
    assert.equal(ratio(report, WHERE, FASTIFY, REFERENCE, rateOf)!.most, 0.15);
    assert.equal(fewestRounds(report), 1);
  });

  it('refuses a report of other settings or of another machine', () => {
    const longer = { ...saved, options: { ...saved.options, seconds: 9 } };
    const other = { ...saved, machine: { ...saved.machine, cores: 16 } };
    for (const report of [longer, other]) {
      assert.throws(() => continued(report, begun, ORDER), /other settings or machine/);
    }
  });
});
