import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REFERENCE } from '../../bench/contestants/bare.js';
import { rateOf, ratio, toRows } from '../../bench/harness/rows.js';
import { spread } from '../../bench/spread.js';
import { FIGURES, JETSTREAM, RATES, sampleReport } from './sample-report.js';

const WHERE = { connections: 256, body: 'plain', batch: 1 };

describe('medians', () => {
  it('are the middle value, or the mean of the two middle values', () => {
    assert.deepEqual(spread([3, 1, 20]), { median: 3, least: 1, most: 20 });
    assert.deepEqual(spread([10, 1, 2, 4]), { median: 3, least: 1, most: 10 });
    assert.deepEqual(spread([7]), { median: 7, least: 7, most: 7 });
  });

  it('sort numerically', () => {
    assert.equal(spread([100_000, 9000, 20_000]).median, 20_000);
  });
});

describe('the ratio to the reference', () => {
  it("is the median of each round's own, not the ratio of medians", () => {
    // The medians are 100,000 and 200,000; the rounds are 0.9, 0.5 and 0.8.
    const rates = {
      [REFERENCE]: [100_000, 200_000, 300_000],
      [JETSTREAM]: [90_000, 100_000, 240_000],
    };
    assert.deepEqual(ratio(sampleReport(rates), WHERE, JETSTREAM, REFERENCE, rateOf), {
      median: 0.8,
      least: 0.5,
      most: 0.9,
    });
  });

  it('uses only rounds in which both were measured', () => {
    const rates = { ...RATES, [JETSTREAM]: [50_000, 150_000] };
    const found = ratio(sampleReport(rates), WHERE, JETSTREAM, REFERENCE, rateOf);
    assert.deepEqual(found, { median: 0.625, least: 0.5, most: 0.75 });
    assert.equal(ratio(sampleReport(RATES), WHERE, 'nobody', REFERENCE, rateOf), null);
    assert.equal(
      ratio(sampleReport(), { ...WHERE, connections: 64 }, JETSTREAM, REFERENCE, rateOf),
      null,
    );
  });
});

describe('a row', () => {
  it('adds up the CPU time of all processes that serve an order', () => {
    const behind = { behindCpuUs: { 'nats-server': 1.5, other: 0.5 }, httpCpuUs: 10 };
    const report = sampleReport(RATES, { [JETSTREAM]: behind });
    const row = toRows(report).find(({ entrant }) => entrant.name === JETSTREAM)!;
    assert.equal(row.httpCpuUs, 10);
    assert.equal(row.behindCpuUs, 2);
    assert.equal(row.cpuUs, 12);
    assert.equal(row.cpuRatio!.median, 12 / FIGURES.httpCpuUs);
  });

  it('adds up errors and has the peak memory', () => {
    const report = sampleReport(RATES, { [JETSTREAM]: { errors: 2, httpMb: 130 } });
    const [first, ...rest] = report.measured.filter(({ contestant }) => contestant === JETSTREAM);
    const more = { ...first!, figures: { ...first!.figures, httpMb: 999 } };
    const others = report.measured.filter(({ contestant }) => contestant === REFERENCE);
    const [, row] = toRows({ ...report, measured: [...others, more, ...rest] });
    assert.equal(row!.errors, 10);
    assert.equal(row!.httpMb, 999);
  });
});
