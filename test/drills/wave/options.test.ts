import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWaveOptions, waveHelp } from '../../../drills/wave/options.js';
import { EXIT, OperatorFault } from '../../../src/model/fault.js';

function parse(args: readonly string[]) {
  const warnings: string[] = [];
  const options = parseWaveOptions(args, (line) => warnings.push(line));
  return { options, warnings };
}

describe('options of the wave', () => {
  it('have the defaults of the sine', () => {
    const { options, warnings } = parse([]);
    assert.deepEqual(options.wave, { minRps: 0, maxRps: 100, periodS: 60, periods: 2 });
    assert.deepEqual([options.mode, options.rpsLimit, options.drainRate], ['queue', 50, 0]);
    assert.deepEqual(warnings, []);
  });

  it('take their value after a space or an equals sign', () => {
    const { options } = parse(['--mode=direct', '--rate-max', '200', '--admin-url', 'none']);
    assert.equal(options.mode, 'direct');
    assert.equal(options.wave.maxRps, 200);
    assert.equal(options.adminUrl, null);
  });

  it('still work by their former names, with one line of warning for each', () => {
    const { options, warnings } = parse(
      '--period 10 --limit 70 --min 5 --max 90 --settle 3 --drain-rate 8'.split(' '),
    );
    assert.deepEqual(options.wave, { minRps: 5, maxRps: 90, periodS: 10, periods: 2 });
    assert.deepEqual([options.rpsLimit, options.settleS, options.drainRate], [70, 3, 8]);
    assert.deepEqual(
      warnings.map((line) =>
        /^forebay: wave: (--\S+) is now (--\S+); [^\n]*$/.exec(line)?.slice(1),
      ),
      [
        ['--min', '--rate-min'],
        ['--max', '--rate-max'],
        ['--period', '--period-s'],
        ['--limit', '--rps-limit'],
        ['--settle', '--settle-s'],
      ],
    );
  });

  const wrong: Record<string, string[]> = {
    'unknown option --unknown': ['--unknown', '1'],
    'did you mean --period-s?': ['--periods-s', '1'],
    'unexpected argument 7': ['7'],
    '--mode': ['--mode', 'both'],
    '--rate-max': ['--rate-max', 'many'],
    '--period-s': ['--period-s', '0'],
    '--rps-limit': ['--rps-limit='],
    '--periods: needs a value': ['--periods'],
    '--url': ['--url', 'localhost:3000'],
    '--rate-min': ['--rate-min', '60', '--rate-max', '50'],
    'at most 1000000': ['--rate-max', '10000', '--period-s', '3600'],
  };
  for (const [named, args] of Object.entries(wrong)) {
    it(`${args.join(' ')} ends in one line that says ${named}`, () => {
      assert.throws(
        () => parse(args),
        (fault: OperatorFault) =>
          fault instanceof OperatorFault &&
          fault.exitCode === EXIT.usage &&
          fault.message.includes(named) &&
          !fault.message.includes('\n'),
      );
    });
  }

  it('are all in the help, by their present names alone', () => {
    for (const name of [
      'url',
      'admin-url',
      'mode',
      'rate-min',
      'rate-max',
      'period-s',
      'rps-limit',
    ]) {
      assert.match(waveHelp(), new RegExp(`^  --${name} `, 'm'));
    }
    assert.doesNotMatch(waveHelp(), /--(period|limit|settle) /);
  });
});
