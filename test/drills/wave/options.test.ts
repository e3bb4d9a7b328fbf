import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWaveOptions, waveHelp } from '../../../drills/wave/options.js';
import { EXIT, OperatorFault } from '../../../src/model/fault.js';

describe('options of the wave', () => {
  it('have the defaults of the sine', () => {
    const options = parseWaveOptions([]);
    assert.deepEqual(options.wave, { minRps: 0, maxRps: 100, periodS: 60, periods: 2 });
    assert.equal(options.mode, 'queue');
    assert.equal(options.limitRps, 50);
  });

  it('are read in both spellings', () => {
    const options = parseWaveOptions(['--mode=direct', '--max', '200', '--admin-url', 'none']);
    assert.equal(options.mode, 'direct');
    assert.equal(options.wave.maxRps, 200);
    assert.equal(options.adminUrl, null);
  });

  const wrong: Record<string, string[]> = {
    '--unknown': ['--unknown', '1'],
    '--mode': ['--mode', 'both'],
    '--max': ['--max', 'many'],
    '--period': ['--period', '0'],
    '--limit': ['--limit='],
    '--url': ['--url', 'localhost:3000'],
    '--min': ['--min', '60', '--max', '50'],
    'at most 1000000': ['--max', '10000', '--period', '3600'],
  };
  for (const [named, args] of Object.entries(wrong)) {
    it(`${args.join(' ')} ends in one line that names ${named}`, () => {
      assert.throws(
        () => parseWaveOptions(args),
        (fault: OperatorFault) =>
          fault instanceof OperatorFault &&
          fault.exitCode === EXIT.usage &&
          fault.message.includes(named) &&
          !fault.message.includes('\n'),
      );
    });
  }

  it('are all in the help', () => {
    for (const name of [
      'url',
      'admin-url',
      'mode',
      'min',
      'max',
      'period',
      'limit',
      'drain-rate',
    ]) {
      assert.match(waveHelp(), new RegExp(`--${name} `));
    }
  });
});
