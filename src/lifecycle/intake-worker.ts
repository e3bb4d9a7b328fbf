import { Worker } from 'node:worker_threads';
import type { IntakeHost, IntakeThreadData } from '../contract/intake-thread.js';

/** An intake in a thread of its own. @param entry file name of the compiled thread entry */
export function intakeWorker(entry: string, index: number, data: IntakeThreadData): IntakeHost {
  return new Worker(entry, {
    name: `intake-${index}`,
    workerData: data,
    transferList: data.directPort === null ? [] : [data.directPort],
  });
}
