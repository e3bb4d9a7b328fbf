import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '../../src/log/open-log.js';
import { RecentEvents } from '../../src/log/recent-events.js';
import { redactor } from '../../src/model/redact.js';

const event = (line: string, fields: Record<string, unknown> = {}) =>
  ({ atMs: 1, level: 'warn', event: 'stopped', line, fields }) as const;

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

test('the fields are shown in a few words, without errors and without what a handler says', () => {
  const recent = new RecentEvents();
  const err = { type: 'Error', message: 'card of Ada', stack: '' };
  recent.add(
    event('dead', { order: '6Ab-0', attempts: 3, reason: 'card of Ada', err, leftOut: 7 }),
  );
  recent.add(event('long', { order: 'x'.repeat(999) }));
  const [dead, long] = recent.list();
  assert.deepEqual([dead!.facts, dead!.leftOut], ['order 6Ab-0, attempts 3', 7]);
  assert.equal(long!.facts.length, 300);
});

test('lines are kept as the log wrote them: without secrets, and only those of its level', () => {
  const redact = redactor(['nats://shop:s3cret-Pass@nats:4222']);
  const { log, recent } = openLog({ logLevel: 'fatal', logFormat: 'json' }, redact);
  log('ready', 'the server accepts orders');
  log('failed', 'cannot reach nats://shop:s3cret-Pass@nats:4222', { at: 'token s3cret-Pass' });
  assert.equal(recent().length, 1);
  const [{ line, facts, level }] = recent() as [ReturnType<typeof recent>[number]];
  assert.equal(line, 'cannot reach nats://***@nats:4222');
  assert.equal(facts, 'at token ***');
  assert.equal(level, 'fatal');
});
