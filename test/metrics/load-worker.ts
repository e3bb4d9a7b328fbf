import { parentPort, workerData } from 'node:worker_threads';
import { kernelThreadId } from '../../src/metrics/thread-stats.js';

/** Publishes its kernel thread id, then spins or sleeps until it is terminated. */
const { spin } = workerData as { spin: boolean };
parentPort!.postMessage(kernelThreadId());
if (spin) setImmediate(() => spinForEver());
else setInterval(() => {}, 1_000_000);

function spinForEver(): never {
  for (;;);
}
