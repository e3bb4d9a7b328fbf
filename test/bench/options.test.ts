import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { benchHelp, parseBenchOptions } from '../../bench/harness/bench-options.js';
import { BODY_NAMES, bodyOf } from '../../bench/harness/bodies.js';
import { coresOf } from '../../bench/harness/pinning.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { Reference } from '../schema/reference.js';

describe('the options of npm run bench', () => {
  it('have the defaults shown in the help', () => {
    const options = parseBenchOptions([])!;
    assert.deepEqual(
      [options.rounds, options.seconds, options.warmUpS, options.connections, options.pin],
      [5, 4, 5, [256], 'generator'],
    );
    assert.deepEqual(
      options.bodies.map(({ name }) => name),
      ['plain'],
    );
    const quick = parseBenchOptions(['--quick', '--rounds', '2'])!;
    assert.deepEqual([quick.rounds, quick.seconds, quick.warmUpS], [2, 1, 1]);
    assert.deepEqual([options.batches, options.durability, options.classes], [[1], null, false]);
    const classes = parseBenchOptions(['--classes', '--class', 'fsync'])!;
    assert.deepEqual(
      [classes.rounds, classes.seconds, classes.warmUpS, classes.pin, classes.durability],
      [5, 2, 2, 'apart', 'fsync'],
    );
    assert.deepEqual([classes.batches, classes.batchConnections], [[1, 10, 100, 500], 64]);
    assert.equal(parseBenchOptions(['--help']), null);
  });

  it('accept several connection counts, bodies and names', () => {
    const json = '{"product_id":"1","count":"2","username":"x"}';
    const args = ['--connections', '64,256', '--body', 'spaced', '--body', json, '--only', 'local'];
    const options = parseBenchOptions(args)!;
    assert.deepEqual(options.connections, [64, 256]);
    assert.deepEqual(
      options.bodies.map(({ texts }) => texts.length),
      [1, 1],
    );
    assert.deepEqual(options.bodies[1], { name: json, texts: [json] });
    assert.deepEqual(options.only, ['local']);
  });

  it('are refused in one line with the option, its value and what is allowed', () => {
    const cases: [string[], RegExp][] = [
      [['--rounds', '0'], /^--rounds 0: must be a whole number from 1 to 100/],
      [['--rounds', ''], /^--rounds : must be a whole number/],
      [['--connections', '64,x'], /^--connections x: must be a whole number from 1 to 10000/],
      [['--body', 'odd'], /^--body odd: must be one of plain, .*varied, or JSON/],
      [['--body', '{"a":"]==]"}'], /^--body .*must not contain/],
      [['--batch', '10,0'], /^--batch 0: must be a whole number from 1 to 1000/],
      [['--class', 'disk'], /^--class disk: must be one of none, system, fsync/],
      [['--continue'], /^--continue: needs --json/],
      [['--pin', 'all'], /^--pin all: must be one of generator, apart, none/],
      [['--bogus'], /--bogus/],
      [['extra'], /extra/],
    ];
    for (const [args, message] of cases) {
      assert.throws(
        () => parseBenchOptions(args),
        (error: Error) =>
          error instanceof OperatorFault &&
          error.exitCode === EXIT.usage &&
          message.test(error.message) &&
          !error.message.includes('\n'),
        args.join(' '),
      );
    }
  });

  it('appear in the help, bodies included', () => {
    const help = benchHelp();
    for (const name of BODY_NAMES) assert.ok(help.includes(`\n${' '.repeat(19)}${name} `), name);
  });
});

describe('the named bodies', () => {
  it('are valid orders', () => {
    const reference = new Reference();
    for (const name of BODY_NAMES) {
      for (const text of bodyOf(name)!.texts) {
        assert.ok('canonical' in reference.judge(Buffer.from(text)), `${name}: ${text}`);
      }
    }
  });
});

it('core lists have the format of the kernel', () => {
  assert.deepEqual(coresOf('0-2,5,7-8'), [0, 1, 2, 5, 7, 8]);
  assert.deepEqual(coresOf('3'), [3]);
});
