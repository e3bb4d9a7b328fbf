import { parentPort, workerData } from 'node:worker_threads';
import { monotonicNs } from '../../src/limit/clock.js';
import { RpsMeter } from '../../src/limit/meter.js';
import { WindowLimiter } from '../../src/limit/window.js';

/** Input of a hammer thread. */
export interface HammerTask {
  readonly limiter: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  /** The meter's constant clock, so that all hits are in one bucket. */
  readonly meterNs: number;
  /** The thread stops after this number of its own admissions. */
  readonly admissions: number;
}

/** The times of this thread's admissions, as read by the limiter. */
function hammer(task: HammerTask): Float64Array {
  let readingNs = 0;
  const limiter = new WindowLimiter(task.limiter, () => {
    readingNs = monotonicNs();
    return readingNs;
  });
  const meter = new RpsMeter(task.meter, () => task.meterNs);
  const timesNs = new Float64Array(task.admissions);
  let admitted = 0;
  while (admitted < task.admissions) {
    if (!limiter.tryAdmit()) continue;
    timesNs[admitted++] = readingNs;
    meter.hit();
  }
  return timesNs;
}

parentPort?.postMessage(hammer(workerData as HammerTask));
