import { Worker } from 'node:worker_threads';
import type { IntakeHost, IntakeThreadData } from './protocol.js';

/**
 * V8's young generation of an intake thread: three semi-spaces of 4 MB, where 16 is the default. What a request allocates dies
 * young in either, and under load every thread fills all that it may have.
 */
const YOUNG_MB = 12;

/** An intake in a thread of its own. @param entry file name of the compiled thread entry */
export function intakeWorker(entry: string, index: number, data: IntakeThreadData): IntakeHost {
  return new Worker(entry, {
    name: `intake-${index}`,
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    transferList: data.directPort === null ? [] : [data.directPort],
  });
}
