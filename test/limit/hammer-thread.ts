import { parentPort, workerData } from 'node:worker_threads';
import { monotonicNs } from '../../src/limit/clock.js';
import { RpsMeter } from '../../src/limit/meter.js';
import { WindowLimiter } from '../../src/limit/window.js';

/** What a hammering thread is told. */
export interface HammerTask {
  readonly limiter: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  /** The meter's clock stands still here, so that every hit falls into one bucket. */
  readonly meterNs: number;
  /** Stops after so many admissions of its own. */
  readonly admissions: number;
}

/** The times of this thread's admissions, as the limiter read them. */
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
