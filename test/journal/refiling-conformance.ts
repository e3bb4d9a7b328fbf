import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Frame, orderId } from '../../src/model/frame.js';
import type { Source } from '../../src/model/journal.js';
import { line, NOTHING, take, takeFor } from './frames.js';

/** An empty journal; the source may be another one after each test. */
interface OpenJournal {
  readonly source: () => Source;
  readonly commit: (...counts: number[]) => Promise<Frame[]>;
}

/** The part of the guarantees that is about refiled orders and their due times. */
export function testRefiling({ source, commit }: OpenJournal): void {
  test('refiled orders keep their ids and bytes, also the second time, and are not early', async () => {
    const [frame] = await commit(6);
    const [first] = await take(source(), 1);
    const notBeforeMs = Date.now() + 700;
    await first!.settle({
      refile: [{ positions: [1, 3, 5], attempt: 2, notBeforeMs }],
      dead: [],
    });
    const [second] = await take(source(), 1);
    assert.ok(Date.now() >= notBeforeMs, 'delivered before it was due');
    assert.notEqual(second!.frame.id, frame!.id);
    assert.equal(second!.frame.id.length, frame!.id.length);
    assert.equal(second!.frame.attempt, 2);
    assert.equal(second!.frame.acceptedAtMs, frame!.acceptedAtMs);
    assert.equal(second!.frame.schema, frame!.schema);
    await second!.settle({
      refile: [{ positions: [2, 0], attempt: 3, notBeforeMs: 0 }],
      dead: [],
    });
    const [third] = await take(source(), 1);
    assert.equal(third!.frame.attempt, 3);
    assert.equal(third!.frame.schema, frame!.schema);
    assert.deepEqual(
      [0, 1].map((i) => orderId(third!.frame, i)),
      [`${frame!.id}-5`, `${frame!.id}-1`],
    );
    assert.deepEqual(
      [0, 1].map((i) => line(third!.frame, i)),
      [line(frame!, 5), line(frame!, 1)],
    );
    await third!.settle(NOTHING);
    assert.deepEqual(await takeFor(source(), 600), []);
  });

  test('a retry filed before the clock was set back does not wait for the clock to catch up', async () => {
    await commit(2);
    const [first] = await take(source(), 1);
    const notBeforeMs = Date.now() + 3_600_000;
    await first!.settle({ refile: [{ positions: [1], attempt: 2, notBeforeMs }], dead: [] });
    const [again] = await take(source(), 1);
    assert.equal(again!.frame.attempt, 2);
    assert.deepEqual(await takeFor(source(), 300), []);
    await again!.settle(NOTHING);
    assert.deepEqual(await takeFor(source(), 300), []);
  });

  test('a frame that is due later does not hold up others', async () => {
    await commit(1);
    const [first] = await take(source(), 1);
    const notBeforeMs = Date.now() + 1500;
    await first!.settle({ refile: [{ positions: [0], attempt: 2, notBeforeMs }], dead: [] });
    const [other] = await commit(1);
    const [next] = await take(source(), 1);
    assert.equal(next!.frame.id, other!.id);
    await next!.settle(NOTHING);
    const [late] = await take(source(), 1);
    assert.equal(late!.frame.attempt, 2);
    await late!.settle(NOTHING);
  });
}
