import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentEvents } from '../../src/log/recent-events.js';

const event = (line: string) =>
  ({ atMs: 1, level: 'warn', event: 'stopped', line, leftOut: 0 }) as const;

test('the latest 20 lines are kept, oldest first', () => {
  const recent = new RecentEvents();
  assert.deepEqual(recent.list(), []);
  for (let i = 1; i <= 25; i++) recent.add(event(`line ${i}`));
  const lines = recent.list().map(({ line }) => line);
  assert.equal(lines.length, 20);
  assert.deepEqual([lines[0], lines.at(-1)], ['line 6', 'line 25']);
});

test('the list is the same array until there is a new line, and does not change later', () => {
  const recent = new RecentEvents();
  recent.add(event('a'));
  const before = recent.list();
  assert.equal(recent.list(), before);
  recent.add(event('b'));
  assert.notEqual(recent.list(), before);
  assert.equal(before.length, 1);
});

test('a line is one line of at most 300 characters, and no character is cut in half', () => {
  const recent = new RecentEvents();
  recent.add(event('two\n  lines'));
  recent.add(event('x'.repeat(300)));
  recent.add(event(`${'x'.repeat(298)}\u{1f4a5}${'x'.repeat(5000)}`));
  const lines = recent.list().map(({ line }) => line);
  assert.equal(lines[0], 'two lines');
  assert.equal(lines[1], 'x'.repeat(300));
  assert.equal(lines[2], `${'x'.repeat(298)}…`);
});
