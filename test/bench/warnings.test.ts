import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { YARDSTICK } from '../../bench/contestants/bare.js';
import { warningsOf } from '../../bench/harness/warnings.js';
import { JETSTREAM, RATES, sampleReport } from './sample-report.js';

describe('warnings', () => {
  it('there are none of a quiet run', () => {
    assert.deepEqual(warningsOf(sampleReport()), []);
  });

  it('name each contestant whose generator was at its limit, and no other', () => {
    const report = sampleReport(RATES, {
      [YARDSTICK]: { generatorRatio: 0.95, httpCores: 0.93 },
      [JETSTREAM]: { generatorRatio: 0.949 },
    });
    const warnings = warningsOf(report);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^bare uWebSockets\.js, 256 connections.*95%.*0\.93 cores/);
  });

  it('go by the median of the rounds, not by one of them', () => {
    const report = sampleReport();
    const [first, ...rest] = report.measured;
    const busy = { ...first!, figures: { ...first!.figures, generatorRatio: 1 } };
    assert.deepEqual(warningsOf({ ...report, measured: [busy, ...rest] }), []);
  });

  it('name data in memory, few rounds, a choice of contestants, a generator without a core, and a busy host', () => {
    const report = sampleReport(RATES, { [JETSTREAM]: { stealRatio: 0.1 } });
    const warnings = warningsOf({
      ...report,
      machine: { ...report.machine, fileSystem: 'tmpfs' },
      options: {
        ...report.options,
        rounds: 2,
        only: ['local'],
        pinningFault: 'there is one core only',
      },
    });
    for (const about of [
      /2 of 5 rounds/,
      /tmpfs/,
      /but the yardstick and local$/,
      /one core only/,
      /5 of 10 .*10% at most/,
    ]) {
      assert.equal(warnings.filter((text) => about.test(text)).length, 1, `${about}: ${warnings}`);
    }
  });
});
