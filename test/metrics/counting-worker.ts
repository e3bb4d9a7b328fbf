import { parentPort, workerData } from 'node:worker_threads';
import {
  COUNTER,
  commitHistogram,
  GAUGE,
  HISTOGRAM,
  responseCounter,
  ThreadCounts,
} from '../../src/metrics/count.js';

/** Counts every series `rounds` times, in the block of its thread. */
const { memory, threadIndex, rounds } = workerData as {
  memory: SharedArrayBuffer;
  threadIndex: number;
  rounds: number;
};
const counts = new ThreadCounts(memory, threadIndex);
for (let i = 0; i < rounds; i++) {
  counts.add(COUNTER.ordersAccepted, 2);
  counts.add(responseCounter(200));
  counts.observe(HISTOGRAM.frameOrders, (i % 2000) + 1);
  counts.observe(commitHistogram('local'), 0.25, 3);
  counts.set(GAUGE.waitingOrders, i + 1);
}
parentPort!.postMessage('counted');
