import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prettyLine } from '../../src/log/format.js';

const LINE = {
  level: 'warn',
  time: '2026-11-24T06:12:03.481Z',
  event: 'journal-down',
  msg: 'NATS is away',
};

const shown = (more: object, hasColours = false) =>
  prettyLine(JSON.stringify({ ...LINE, ...more }), hasColours);

describe('a formatted log line', () => {
  it('has local time, level, event, message and fields', () => {
    assert.match(
      shown({ thread: 2, step: 'drain' }),
      /^\d\d:\d\d:03 warn {2}journal-down NATS is away thread=2 step="drain"\n$/,
    );
  });

  it('has the same text with colours', () => {
    const painted = shown({ thread: 2 }, true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for it
    assert.equal(painted.replace(/\x1b\[\d+m/g, ''), shown({ thread: 2 }));
    assert.notEqual(painted, shown({ thread: 2 }));
  });

  it('shows an error and its stack below', () => {
    const err = { type: 'TypeError', message: 'x is not y', stack: 'at a (f.js:1:2)\nat b' };
    const [, ...below] = shown({ err }).trimEnd().split('\n');
    assert.deepEqual(below, ['  TypeError x is not y', '    at a (f.js:1:2)', '    at b']);
  });

  it('contains no control characters', () => {
    const text = shown({
      msg: 'a\u001b[2Jb\nc\u0085',
      err: { type: 'E', message: '\u0007', stack: '' },
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for it
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u0080-\u009f]/);
  });
});
