import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REFERENCE } from '../../bench/contestants/bare.js';
import { warningsOf } from '../../bench/harness/warnings.js';
import { JETSTREAM, RATES, sampleReport } from './sample-report.js';

describe('warnings', () => {
  it('are empty for a quiet run', () => {
    assert.deepEqual(warningsOf(sampleReport()), []);
  });

  it('name each contestant for which wrk was at its limit, and no other', () => {
    const report = sampleReport(RATES, {
      [REFERENCE]: { generatorRatio: 0.95, httpCores: 0.93 },
      [JETSTREAM]: { generatorRatio: 0.949 },
    });
    const warnings = warningsOf(report);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0]!,
      /^bare uWebSockets\.js, 256 connections.*95% of its core, the server 0\.93 cores/,
    );
  });

  it('use the median of the rounds, not a single round', () => {
    const report = sampleReport();
    const [first, ...rest] = report.measured;
    const busy = { ...first!, figures: { ...first!.figures, generatorRatio: 1 } };
    assert.deepEqual(warningsOf({ ...report, measured: [busy, ...rest] }), []);
  });

  it('name data in memory, few rounds, --only, wrk without its own core, and a busy host', () => {
    const twoRounds = { [REFERENCE]: [100_000, 99_000], [JETSTREAM]: [86_000, 85_000] };
    const report = sampleReport(twoRounds, { [JETSTREAM]: { stealRatio: 0.1 } });
    const warnings = warningsOf({
      ...report,
      machine: { ...report.machine, fileSystem: 'tmpfs' },
      options: {
        ...report.options,
        only: ['local'],
        pinningFault: 'there is only one core',
      },
    });
    for (const about of [
      /2 rounds, fewer than 5/,
      /tmpfs/,
      /^only the bare server and local were measured$/,
      /only one core/,
      /2 of 4 .*up to 10%$/,
    ]) {
      assert.equal(warnings.filter((text) => about.test(text)).length, 1, `${about}: ${warnings}`);
    }
  });
});
