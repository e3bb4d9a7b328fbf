import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { LiveSegment, loggedFrame } from '../../src/journal/local/live-segment.js';
import { dueSegment, type TidyScope } from '../../src/journal/local/log-bounds.js';
import { SEGMENT_BYTES } from '../../src/journal/local/segment-files.js';
import type { SegmentReader } from '../../src/journal/local/segment-reader.js';
import { freshKey } from '../../src/journal/store/frame-rows.js';
import { fresh } from './frames.js';

const MIB = 1024 ** 2;
const MINUTE_MS = 60_000;
const FRAMES_MAX = 65_536;
const SEGMENTS_MAX = 256;

const generation = Buffer.alloc(8, 1);
const reader = { advance: () => {}, forget: () => {} } as unknown as SegmentReader;
const VALUE = Buffer.alloc(0);

interface Shape {
  /** Of each frame; one segment of them is a quarter full. */
  readonly bytes: number;
  readonly state: 'open' | 'full';
}

const HALF_FULL: Shape = { bytes: 2 * MIB, state: 'full' };

/** A segment with a frame, or without any. */
function segment({ bytes, state }: Shape = HALF_FULL): LiveSegment {
  const live = new LiveSegment({ id: 'a', state }, reader, null);
  if (bytes > 0) {
    const frame = fresh(1);
    live.note(frame.id);
    const record = { key: freshKey(frame), value: VALUE, isKeyed: false, position: 0, bytes };
    live.add(loggedFrame(live, { ...record, end: bytes, isFirstUse: false, durable: 0 }));
  }
  live.advance({ end: { generation, position: SEGMENT_BYTES }, isAll: true, holes: [] });
  return live;
}

/** The clock stands still until `pass`. */
function clock(t: TestContext): (ms: number) => void {
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  return (ms) => {
    nowMs += ms;
  };
}

function due(live: LiveSegment, scope: TidyScope = 'due'): boolean {
  return dueSegment([live], live.waiting, scope) !== null;
}

describe('frames leave the log', () => {
  test('when they have waited for 10 minutes', (t) => {
    const pass = clock(t);
    for (const live of [segment(), segment({ ...HALF_FULL, state: 'open' })]) {
      pass(10 * MINUTE_MS);
      assert.ok(!due(live));
      pass(1);
      assert.ok(due(live));
      pass(-10 * MINUTE_MS - 1);
    }
  });

  test('when more than 65,536 wait: those of the segment with the oldest', () => {
    const [first, second] = [segment(), segment()];
    const all = [second, first];
    assert.equal(dueSegment(all, FRAMES_MAX, 'due'), null);
    assert.equal(dueSegment(all, FRAMES_MAX + 1, 'due'), first);
  });

  test('when they wait in more than 256 segments that are full', () => {
    const all = Array.from({ length: SEGMENTS_MAX }, () => segment());
    const [first] = all;
    all.unshift(segment({ ...HALF_FULL, state: 'open' }));
    assert.equal(dueSegment(all, 0, 'due'), null);
    all.push(segment());
    assert.equal(dueSegment(all, 0, 'due'), first);
  });

  test('5 s after their segment was full, if less than a quarter of it is needed', (t) => {
    const pass = clock(t);
    const [sparse, needed] = [MIB - 1, MIB].map((bytes) => segment({ ...HALF_FULL, bytes }));
    const open = segment({ bytes: 1, state: 'open' });
    pass(5000);
    assert.ok(!due(sparse!));
    pass(1);
    assert.ok(due(sparse!));
    assert.ok(!due(needed!));
    assert.ok(!due(open));
  });

  test('at a stop, if less than a quarter of their segment is needed', () => {
    const [sparse, needed] = [MIB - 1, MIB].map((bytes) => segment({ ...HALF_FULL, bytes }));
    assert.ok(due(sparse!, 'stop'));
    assert.ok(!due(needed!, 'stop'));
    assert.ok(due(needed!, 'all'));
  });

  test('at a stop, if those that are settled were what made their segment needed', () => {
    const live = segment({ ...HALF_FULL, bytes: MIB - 1 });
    const [waiting] = live.step(1)!.frames;
    const settled = { ...waiting!, bytes: MIB };
    live.add(settled);
    assert.ok(!due(live, 'stop'));
    live.remove(settled);
    assert.ok(due(live, 'stop'));
  });

  test('10 minutes after they came, also in a segment that had others before', (t) => {
    const pass = clock(t);
    const live = segment({ ...HALF_FULL, state: 'open' });
    pass(9 * MINUTE_MS);
    const { frames, end } = live.step(Number.POSITIVE_INFINITY)!;
    for (const frame of frames) live.remove(frame);
    live.keep(end);
    pass(2 * MINUTE_MS);
    const frame = fresh(1);
    live.note(frame.id);
    live.add({ ...frames[0]!, id: frame.id, state: 'waiting' });
    const position = end.position + 4096;
    live.advance({ end: { generation, position }, isAll: true, holes: [] });
    pass(10 * MINUTE_MS);
    assert.ok(!due(live));
    pass(1);
    assert.ok(due(live));
  });

  test('when something in their segment is better out of it, and only if nobody has claimed them', () => {
    const live = segment();
    const [frame] = live.step(1)!.frames;
    live.leaveUpTo = 1;
    frame!.state = 'claimed';
    assert.ok(!due(live));
    assert.equal(dueSegment([live], FRAMES_MAX + 1, 'due'), null);
    frame!.state = 'waiting';
    assert.ok(due(live));
  });

  test('a segment in which nothing waits is next, whatever else is due', () => {
    const [old, done] = [segment(), segment({ bytes: 0, state: 'full' })];
    assert.equal(dueSegment([old, done], 1, 'all'), done);
    const open = segment({ bytes: 0, state: 'open' });
    assert.equal(dueSegment([open], 0, 'due'), null);
  });
});
