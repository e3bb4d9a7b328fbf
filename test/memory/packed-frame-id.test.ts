import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameIds } from '../../src/commit/frame-id.js';
import { packFrameId, unpackFrameId } from '../../src/memory/packed-frame-id.js';
import { FRAME_ID_ALPHABET } from '../../src/model/frame.js';

const words = new Int32Array(6);

function roundTrip(id: string): string {
  const packed = words.subarray(0, 4);
  assert.ok(packFrameId(id, packed), id);
  return unpackFrameId(Int32Array.of(0, ...packed), 1);
}

test('a frame id survives packing and unpacking', () => {
  const ids = new FrameIds();
  for (const ms of [0, 1, Date.now(), 2 ** 48 - 1]) {
    const id = ids.next(ms);
    assert.equal(roundTrip(id), id);
  }
  for (let char = 0; char < 26; char++) {
    for (let digit = 0; digit < (char === 0 ? 8 : 32); digit++) {
      const id = '0'.repeat(char) + FRAME_ID_ALPHABET[digit] + 'Z'.repeat(25 - char);
      assert.equal(roundTrip(id), id);
    }
  }
});

test('text that is not a frame id is rejected', () => {
  const id = new FrameIds().next(Date.now());
  for (const text of [
    '',
    id.slice(1),
    `${id}0`,
    `8${id.slice(1)}`,
    `${id.slice(1)}U`,
    `${id.slice(1)}a`,
  ]) {
    assert.equal(packFrameId(text, words), false, text);
  }
});
