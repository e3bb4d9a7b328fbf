import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeDeadLetter,
  encodeDeadLetter,
  replayFrame,
} from '../../src/journal/frame/dead-letter.js';
import { decodeRecord, encodeRecord } from '../../src/journal/frame/record.js';
import { deadLettersOf, refiledFrame } from '../../src/journal/frame/refile.js';
import {
  deadLetterPublication,
  framePublication,
  readDeadLetter,
  readFrame,
} from '../../src/journal/nats/headers.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import type { Publication } from '../../src/journal/nats/publisher.js';
import type { StoredDeadLetter } from '../../src/model/dead-letters.js';
import type { Frame } from '../../src/model/frame.js';
import { fresh, plain } from './frames.js';

const NAMES = jetStreamNames('FOREBAY');
const KEY = Buffer.from('key');
const HEADER = 'Forebay-Schema';

function without({ schema: _, ...frame }: Frame): Frame {
  return frame;
}

function letterOf(frame: Frame): StoredDeadLetter {
  return deadLettersOf(frame, [{ position: 0, reason: 'no such product' }], 5)[0]!;
}

function read({ headers, payload, subject }: Publication): Frame {
  return readFrame({ headers, payload, subject, seq: 1 });
}

describe('the schema of a frame', () => {
  it('is in the local record, and may be missing there', () => {
    for (const frame of [fresh(2), without(fresh(2))]) {
      assert.deepEqual(plain(decodeRecord(encodeRecord(frame, KEY), KEY)), plain(frame));
    }
  });

  it('is in the headers of a message, and may be missing there', () => {
    for (const frame of [fresh(2), without(fresh(2))]) {
      assert.deepEqual(plain(read(framePublication(NAMES, frame))), plain(frame));
    }
  });

  it('is not part of the sum that earlier versions compare', () => {
    const frame = fresh(2);
    const sumOf = (one: Frame) => framePublication(NAMES, one).headers.get('Forebay-Sum');
    assert.equal(sumOf(frame), sumOf(without(frame)));
  });

  it('counts as unknown when it is not as it was written: the orders are sound', () => {
    const frame = fresh(2);
    const written = framePublication(NAMES, frame).headers.get(HEADER);
    const other = framePublication(NAMES, fresh(2)).headers.get(HEADER);
    const changed = [written.replace(/^0/, '1'), written.slice(1), `${written}0`, '', ' ', other];
    for (const text of changed) {
      const publication = framePublication(NAMES, frame);
      publication.headers.set(HEADER, text);
      assert.deepEqual(plain(read(publication)), plain(without(frame)), text);
    }
  });

  it('stays with refiled orders and dead letters', () => {
    const frame = fresh(3);
    const refile = { positions: [1], attempt: 2, notBeforeMs: 0 };
    assert.equal(refiledFrame(frame, refile, 'id').schema, frame.schema);
    assert.equal(refiledFrame(without(frame), refile, 'id').schema, undefined);
    assert.equal(letterOf(frame).schema, frame.schema);
    assert.equal('schema' in letterOf(without(frame)), false);
  });

  it('is in a stored dead letter, and may be missing there', () => {
    for (const frame of [fresh(1), without(fresh(1))]) {
      const letter = letterOf(frame);
      const { orderId } = letter;
      assert.deepEqual(decodeDeadLetter(orderId, encodeDeadLetter(letter, KEY), KEY), letter);
      const { headers, payload } = deadLetterPublication(NAMES, letter, 'id');
      assert.deepEqual(readDeadLetter(orderId, headers, payload), letter);
    }
  });

  it('of a replayed order is the one that it was validated with just now', () => {
    const now = 'fedcba9876543210';
    assert.equal(replayFrame(letterOf(fresh(1)), 'id', now).schema, now);
  });
});
