import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Entry, RepeatLimiter } from '../../src/log/open-log.js';

function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const lines: string[] = [];
  const log = new RepeatLimiter(({ event, line, fields }: Entry) =>
    lines.push([event, line, ...Object.values(fields)].join(' ')),
  );
  const tell = (event: Entry['event'], line: string) => log.log({ event, line, fields: {} });
  return { lines, tell, log, pass: (ms: number) => t.mock.timers.tick(ms) };
}

describe('the repeat limit', () => {
  it('writes the first at once, and after 10 s the latest with the number of the others', (t) => {
    const { lines, tell, pass } = open(t);
    for (const line of ['a', 'b', 'c', 'd']) tell('journal-down', line);
    assert.deepEqual(lines, ['journal-down a']);
    pass(9999);
    assert.equal(lines.length, 1);
    pass(1);
    assert.deepEqual(lines, ['journal-down a', 'journal-down d 2']);
  });

  it('writes at most one line in any 10 s', (t) => {
    const { lines, tell, pass } = open(t);
    for (let s = 0; s < 100; s++) {
      tell('journal-down', `${s}`);
      pass(1000);
    }
    // At 0 s, and at 10, 20, … 100 s.
    assert.equal(lines.length, 11);
    const leftOut = lines.map((line) => Number(line.split(' ')[2] ?? 0));
    assert.equal(
      leftOut.reduce((sum, n) => sum + n + 1, 0),
      100,
    );
  });

  it('writes a single event at once if the last is 10 s ago', (t) => {
    const { lines, tell, pass } = open(t);
    tell('journal-up', 'a');
    pass(10_000);
    tell('journal-up', 'b');
    assert.deepEqual(lines, ['journal-up a', 'journal-up b']);
  });

  it('limits each event separately', (t) => {
    const { lines, tell } = open(t);
    tell('journal-down', 'a');
    tell('journal-up', 'b');
    assert.deepEqual(lines, ['journal-down a', 'journal-up b']);
  });

  it('writes each change of the drain, up to 20 within 10 s', (t) => {
    const { lines, tell, pass } = open(t);
    for (let i = 1; i <= 20; i++) tell('drain-set', `${i}`);
    assert.equal(lines.length, 20);
    for (let i = 21; i <= 23; i++) tell('drain-set', `${i}`);
    assert.equal(lines.length, 20);
    pass(10_000);
    assert.deepEqual(lines.slice(20), ['drain-set 23 2']);
  });

  it('writes held back lines on flush, once', (t) => {
    const { lines, tell, log, pass } = open(t);
    for (const line of ['a', 'b', 'c']) tell('handler-threw', line);
    log.flush();
    log.flush();
    pass(60_000);
    assert.deepEqual(lines, ['handler-threw a', 'handler-threw c 1']);
  });
});
