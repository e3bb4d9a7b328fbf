import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../drills/ledger/random.js';
import { FrameOrder } from '../../src/journal/local/frame-order.js';
import type { LoggedFrame } from '../../src/journal/local/live-segment.js';

function frameOf(number: number, onLook = () => {}): LoggedFrame {
  const id = String(number).padStart(8, '0');
  return {
    get id() {
      onLook();
      return id;
    },
  } as LoggedFrame;
}

test('frames are listed by their ids, whatever has come and left in between', () => {
  const random = new Random(Number(process.env.FOREBAY_SEED ?? 7));
  const order = new FrameOrder();
  const there = new Map<number, LoggedFrame>();
  for (let at = 1000; at < 9000; at++) {
    // Mostly in order, some far back.
    const number = at - random.below(random.once(50) ? 900 : 8);
    if (!there.has(number)) {
      const frame = frameOf(number);
      there.set(number, frame);
      order.add(frame);
    }
    const takes = random.once(300) ? 200 : random.below(3);
    for (const frame of [...order].slice(0, takes)) {
      if (random.once(10)) continue;
      order.remove(frame);
      there.delete(Number(frame.id));
    }
    if (!random.once(100)) continue;
    const wanted = [...there.keys()].sort((a, b) => a - b);
    const found = Array.from(order, ({ id }) => Number(id));
    assert.deepEqual(found, wanted);
    assert.equal(order.size, wanted.length);
  }
});

test('what is taken from the front one at a time costs the same for any number of frames', () => {
  const order = new FrameOrder();
  let looks = 0;
  const frames = 4000;
  for (let i = 0; i < frames; i++) order.add(frameOf(i, () => looks++));
  looks = 0;
  for (let i = 0; i < frames; i++) {
    const [first] = order;
    assert.ok(first !== undefined);
    order.remove(first);
  }
  assert.ok(looks < 20 * frames, `${looks} looks`);
});
