import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type HandCall, HandFile, HandSlots, noteStopping } from '../../src/drain/hand-file.js';
import type { BatchSegment } from '../../src/model/pool-messages.js';

const ORDERS_MAX = 500;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-hand-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The file of a process. It is never closed: the process dies. */
function begin(folder: string, calls = 4): { hand: HandFile; slots: HandSlots } {
  const hand = HandFile.open(folder, calls, ORDERS_MAX);
  hand.begin();
  return { hand, slots: new HandSlots(hand) };
}

function left(folder: string) {
  const hand = HandFile.open(folder, 4, ORDERS_MAX);
  const found = hand.left();
  closeSync(hand.fd);
  return found.map(
    ({ frameId, first, count, crashes, isAlone }) =>
      `${frameId} ${first}+${count} ${crashes}${isAlone ? ' alone' : ''}`,
  );
}

function segment(frameId: string, position: number, count: number, crashes = 0): BatchSegment {
  const rest = { indexes: null, attempt: 1, acceptedAtMs: 0 };
  return { origin: 'ORIGIN', frameId, position, count, crashes, ...rest };
}

function callOf({ slot }: HandCall, segments: readonly BatchSegment[], call = 1 + slot) {
  return { slot, call, segments };
}

describe('the file of what the handler has in hand', () => {
  it('is empty at first, and after a clean end', (t) => {
    const folder = folderOf(t);
    assert.deepEqual(left(folder), []);
    const { hand, slots } = begin(folder);
    const call = hand.take(1);
    slots.begin(callOf(call, [segment('F', 0, 3)]));
    slots.end(callOf(call, [segment('F', 0, 3)]), null);
    hand.ended(call);
    call.frameSettled();
    hand.close();
    assert.deepEqual(left(folder), []);
  });

  it('tells which orders were in progress, and which were done', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder);
    const [one, two, three, four] = [hand.take(2), hand.take(1), hand.take(1), hand.take(1)];
    slots.begin(callOf(one, [segment('F', 5, 3), segment('G', 0, 1, 2)]));
    slots.begin(callOf(two, [segment('H', 0, 2)]));
    slots.end(callOf(two, [segment('H', 0, 2)]), null);
    hand.ended(two);
    const mixed = [segment('I', 10, 3), segment('J', 0, 3)];
    slots.begin(callOf(three, mixed));
    slots.end(callOf(three, mixed), Uint8Array.of(0, 1, 0, 0, 0, 2));
    hand.ended(three);
    slots.begin(callOf(four, [segment('K', 0, 1)]));
    hand.drop(four);
    assert.deepEqual(left(folder).sort(), [
      'F 5+3 1',
      'G 0+1 3',
      'H 0+2 0',
      'I 10+1 0',
      'I 12+1 0',
      'J 0+2 0',
    ]);
  });

  it('a thread that is being ended does not mark the next call in its slot', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder);
    const late = hand.take(1);
    slots.begin(callOf(late, [segment('F', 0, 1)], 1));
    hand.drop(late);
    const next = hand.take(1);
    assert.equal(next.slot, late.slot);
    slots.begin(callOf(next, [segment('G', 0, 1)], 2));
    slots.end(callOf(late, [segment('F', 0, 1)], 1), null);
    assert.deepEqual(left(folder), ['G 0+1 1 alone']);
  });

  it('keeps what the last process left, if this one fails to start', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder);
    slots.begin(callOf(hand.take(1), [segment('F', 0, 1)]));
    HandFile.open(folder, 4, ORDERS_MAX).close();
    assert.deepEqual(left(folder), ['F 0+1 1 alone']);
  });

  it('an order that was the only one in progress is alone', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder);
    const done = hand.take(1);
    slots.begin(callOf(done, [segment('F', 0, 9)]));
    slots.end(callOf(done, [segment('F', 0, 9)]), null);
    hand.ended(done);
    slots.begin(callOf(hand.take(1), [segment('G', 4, 1)]));
    assert.deepEqual(left(folder).sort(), ['F 0+9 0', 'G 4+1 1 alone']);
  });

  it('after an order to stop, nothing counts as in progress', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder);
    slots.begin(callOf(hand.take(1), [segment('F', 0, 1)]));
    noteStopping(folder);
    assert.deepEqual(left(folder), []);
    // The next process counts again.
    const next = begin(folder);
    next.slots.begin(callOf(next.hand.take(1), [segment('F', 0, 1)]));
    assert.deepEqual(left(folder), ['F 0+1 1 alone']);
  });

  it('a call whose text is not complete has not begun', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder);
    slots.begin(callOf(hand.take(1), [segment('F', 0, 1)]));
    const path = join(folder, 'hand');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    assert.deepEqual(left(folder), []);
    writeFileSync(path, bytes.subarray(0, bytes.length - 1));
    assert.deepEqual(left(folder), []);
  });

  for (const [what, bytes] of [
    ['a text', Buffer.from('hello')],
    ['zeros', Buffer.alloc(100_000)],
    ['ones', Buffer.alloc(100_000, 0xff)],
  ] as const) {
    it(`${what} in its place tells nothing`, (t) => {
      const folder = folderOf(t);
      writeFileSync(join(folder, 'hand'), bytes);
      assert.deepEqual(left(folder), []);
    });
  }

  it('a size of slots that no version has tells nothing', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder);
    slots.begin(callOf(hand.take(1), [segment('F', 0, 1)]));
    const path = join(folder, 'hand');
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(5000, 4);
    writeFileSync(path, bytes);
    assert.deepEqual(left(folder), []);
  });

  it('keeps the newest of very many calls whose frames are not settled', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder, 1);
    for (let i = 0; i < 5000; i++) {
      const call = hand.take(1);
      slots.begin(callOf(call, [segment(`F${i}`, 0, 1)]));
      slots.end(callOf(call, [segment(`F${i}`, 0, 1)]), null);
      hand.ended(call);
    }
    const found = left(folder);
    assert.ok(found.length >= 1000 && found.length < 2000, String(found.length));
    assert.ok(found.includes('F4999 0+1 0'));
  });

  it('a full batch of orders from as many frames fits', (t) => {
    const folder = folderOf(t);
    const { hand, slots } = begin(folder);
    const id = 'Z'.repeat(64);
    slots.begin(
      callOf(
        hand.take(ORDERS_MAX),
        Array.from({ length: ORDERS_MAX }, () => segment(id, 9999, 1, 99)),
      ),
    );
    assert.equal(left(folder).length, ORDERS_MAX);
  });

  it('a file that takes no writes stops nothing', (t) => {
    const folder = folderOf(t);
    const { hand } = begin(folder);
    const fd = openSync(join(folder, 'hand'), 'r');
    const slots = new HandSlots({ fd, slotBytes: hand.slotBytes });
    slots.begin({ slot: 0, call: 1, segments: [segment('F', 0, 1)] });
    slots.end({ slot: 0, call: 1, segments: [segment('F', 0, 1)] }, null);
    closeSync(fd);
    assert.deepEqual(left(folder), []);
  });
});
