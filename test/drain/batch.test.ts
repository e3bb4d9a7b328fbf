import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Batch, batchMessage, cutBatch, splitBatch } from '../../src/drain/batch.js';
import { FrameRun } from '../../src/drain/frame-run.js';
import { fresh } from '../journal/frames.js';

/** Ids and lines of a batch, as a pool thread reads them. */
function orders(batch: Batch): string[] {
  const { payload, segments } = batchMessage(batch, null);
  const lines = Buffer.from(payload).toString('utf8').trimEnd().split('\n');
  const ids = segments.flatMap(({ origin, count, position, indexes }) =>
    Array.from({ length: count }, (_, i) => `${origin}-${indexes?.[i] ?? position + i}`),
  );
  assert.equal(ids.length, lines.length);
  return ids.map((id, i) => `${id} ${lines[i]}`);
}

/** Halves a batch until each order is alone. */
function alone(batch: Batch): Batch[] {
  return batch.orders === 1 ? [batch] : splitBatch(batch).flatMap(alone);
}

function queueOf(counts: readonly number[], onComplete: (run: FrameRun) => void): FrameRun[] {
  return counts.map((count) => new FrameRun(fresh(count), onComplete));
}

describe('batches', () => {
  it('hold every order once, with its own bytes and id, however they are cut and halved', () => {
    const queue = queueOf([1, 7, 3, 20, 2], () => {});
    const expected = queue.flatMap(({ frame }) => {
      const lines = Buffer.from(frame.payload).toString('utf8').trimEnd().split('\n');
      return lines.map((line, i) => `${frame.id}-${i} ${line}`);
    });
    const seen: string[] = [];
    for (let size = 1; queue.length > 0; size++) {
      const batch = cutBatch(queue, size);
      const whole = orders(batch);
      assert.ok(batch.orders <= size);
      assert.deepEqual(alone(batch).flatMap(orders), whole);
      seen.push(...whole);
    }
    assert.deepEqual(seen, expected);
  });

  it('complete a frame once, and not before its last order is finished', () => {
    let completed = 0;
    const queue = queueOf([10], () => completed++);
    const [run] = queue;
    while (queue.length > 0) {
      const [slice] = cutBatch(queue, 1).slices;
      assert.equal(completed, 0);
      run!.finish(slice!, null, () => assert.fail());
    }
    assert.equal(completed, 1);
  });
});
