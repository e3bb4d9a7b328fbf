import type { BatchMessage, BatchSegment } from '../model/pool-messages.js';
import type { FrameRun, FrameSlice } from './frame-run.js';

/** Orders that go to the handler together. They can come from several frames. */
export interface Batch {
  readonly slices: readonly FrameSlice[];
  readonly orders: number;
}

/** Takes up to `ordersMax` orders from the front of the queue. Frames without further orders leave the queue. */
export function cutBatch(queue: FrameRun[], ordersMax: number): Batch {
  const slices: FrameSlice[] = [];
  let orders = 0;
  let used = 0;
  while (orders < ordersMax && used < queue.length) {
    const run = queue[used]!;
    const slice = run.cut(ordersMax - orders);
    slices.push(slice);
    orders += slice.count;
    if (run.uncut === 0) used++;
  }
  queue.splice(0, used);
  return { slices, orders };
}

/** Halves a batch of two orders or more. */
export function splitBatch(batch: Batch): [Batch, Batch] {
  return splitAt(batch, batch.orders >> 1);
}

/** The first `orders` of a batch that has more, and the others. */
export function splitAt(batch: Batch, orders: number): [Batch, Batch] {
  const front: FrameSlice[] = [];
  const back: FrameSlice[] = [];
  let room = orders;
  for (const slice of batch.slices) {
    if (slice.count <= room) {
      front.push(slice);
      room -= slice.count;
    } else if (room === 0) {
      back.push(slice);
    } else {
      const [head, tail] = splitSlice(slice, room);
      front.push(head);
      back.push(tail);
      room = 0;
    }
  }
  return [
    { slices: front, orders },
    { slices: back, orders: batch.orders - orders },
  ];
}

/** One batch per order. */
export function singlesOf(batch: Batch): Batch[] {
  return batch.orders === 1 ? [batch] : splitBatch(batch).flatMap(singlesOf);
}

function splitSlice(slice: FrameSlice, count: number): [FrameSlice, FrameSlice] {
  const { run, position, byteStart, byteEnd } = slice;
  const middle = run.byteOffsetBehind(byteStart, count, position + count);
  return [
    { run, position, count, byteStart, byteEnd: middle },
    {
      run,
      position: position + count,
      count: slice.count - count,
      byteStart: middle,
      byteEnd,
    },
  ];
}

/** The message for a pool thread. `slot` is that of its `HandCall`. The payload is a copy in its own buffer, so that it can be transferred. */
export function batchMessage(batch: Batch, slot: number | null): BatchMessage {
  let bytes = 0;
  for (const slice of batch.slices) bytes += slice.byteEnd - slice.byteStart;
  const payload = new Uint8Array(bytes);
  const segments: BatchSegment[] = [];
  let offset = 0;
  for (const slice of batch.slices) {
    const { frame } = slice.run;
    payload.set(frame.payload.subarray(slice.byteStart, slice.byteEnd), offset);
    offset += slice.byteEnd - slice.byteStart;
    segments.push(segmentOf(slice));
  }
  return { payload, segments, slot };
}

/** The only order of a frame. */
export function soleOrder(run: FrameRun): Batch {
  return { slices: [run.cut(1)], orders: 1 };
}

function segmentOf({ run, position, count }: FrameSlice): BatchSegment {
  const { id, refiled, attempt, acceptedAtMs } = run.frame;
  const indexes = refiled?.indexes.slice(position, position + count) ?? null;
  return {
    origin: refiled?.origin ?? id,
    count,
    frameId: refiled === null ? null : id,
    position,
    indexes,
    attempt,
    acceptedAtMs,
    crashes: run.crashes,
  };
}
