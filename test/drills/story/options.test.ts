import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStoryOptions, storyHelp } from '../../../drills/story/options.js';
import { OperatorFault } from '../../../src/model/fault.js';

const parse = (args: readonly string[]) => parseStoryOptions(args, assert.fail);

describe('options of the story', () => {
  it('have defaults that take about 3 minutes', () => {
    const { wave, rpsLimit, drainRate, generator, folder } = parse([]);
    assert.deepEqual(wave, { minRps: 0, maxRps: 100, periodS: 40, periods: 2 });
    assert.deepEqual([rpsLimit, drainRate, generator, folder], [50, 50, 'auto', 'story']);
  });

  it('are refused in one line that names the option', () => {
    const wrong = [
      [['--period-s', '4'], /--period-s 4: must be a whole number from 5 to 300/],
      [['--period-s', '1e'], /--period-s 1e/],
      [['--periods', '2.5'], /--periods 2.5/],
      [['--period-s', '300', '--periods', '3'], /900 s: must be at most 600 s/],
      [['--generator', 'wrk'], /--generator wrk: must be one of auto, k6, built-in/],
      [['--out', ''], /--out/],
      [['--drain-rate', '5'], /--drain-rate 5/],
      [['--peak'], /--peak/],
    ] as const;
    for (const [args, text] of wrong) {
      assert.throws(
        () => parse(args),
        (fault: Error) =>
          fault instanceof OperatorFault &&
          fault.exitCode === 2 &&
          text.test(fault.message) &&
          !fault.message.includes('\n'),
      );
    }
  });

  it('stand in the help, which fits a screen', () => {
    const help = storyHelp();
    for (const name of [
      'period-s',
      'periods',
      'drain-rate',
      'generator',
      'schema',
      'path',
      'body',
      'out',
    ]) {
      assert.match(help, new RegExp(`^  --${name} .*\\(default `, 'm'));
    }
    assert.ok(help.split('\n').length <= 30);
    assert.ok(help.split('\n').every((line) => line.length <= 100));
  });
});
