import { parentPort, workerData } from 'node:worker_threads';
import { monotonicNs } from '../../src/limit/clock.js';
import { RpsMeter } from '../../src/limit/meter.js';
import { WindowLimiter } from '../../src/limit/window.js';
import { batchSizeOf, WindowRing } from '../../src/memory/window-ring.js';

/** Input of a hammer thread. */
export interface HammerTask {
  readonly limiter: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  /** The meter's constant clock, so that all hits are in one bucket. */
  readonly meterNs: number;
  /** How many it asks for at once, in turn. */
  readonly sizes: readonly number[];
  /** The thread stops after this number of its own admissions. */
  readonly admissions: number;
}

/** Notes each stamp that this thread puts into a slot: for a batch of another thread too, which it helps to complete. */
class NotingRing extends WindowRing {
  readonly timesNs: number[] = [];

  override takeSlot(index: number, seen: bigint, stamp: number): boolean {
    const taken = super.takeSlot(index, seen, stamp);
    if (taken && batchSizeOf(stamp) === 0) this.timesNs.push(Math.abs(stamp));
    return taken;
  }
}

/** The times that this thread wrote: those of all threads together are those of all admissions. */
function hammer(task: HammerTask): Float64Array {
  const ring = new NotingRing(task.limiter);
  const limiter = new WindowLimiter(task.limiter, monotonicNs, ring);
  const meter = new RpsMeter(task.meter, () => task.meterNs);
  let admitted = 0;
  for (let turn = 0; admitted < task.admissions; turn++) {
    const size = Math.min(task.sizes[turn % task.sizes.length], task.admissions - admitted);
    if (!limiter.tryAdmitBatch(size)) continue;
    admitted += size;
    meter.hit(size);
  }
  return Float64Array.from(ring.timesNs);
}

parentPort?.postMessage(hammer(workerData as HammerTask));
