import type { Options } from '../../model/options.js';
import { bytesText } from './amounts.js';
import { type Finding, ok, warn } from './finding.js';

/** What the machine, or the container, gives this process. */
export interface MachineFacts {
  readonly cores: number;
  /** By the container's quota; null where there is none. */
  readonly coresQuota: number | null;
  /** Of the machine or the container; bytes. */
  readonly memoryBytes: number;
}

/** Of a V8 isolate with its code and buffers, beside what handlers and keys take; measured at about 30 MB. */
const THREAD_BYTES = 32 * 1024 ** 2;
/** A row of the table of idempotency keys, as `--help` says. */
const KEY_BYTES = 64;

/** Threads beyond the cores only wait for each other. */
export function coreFinding({ threads, workers }: Options, machine: MachineFacts): Finding {
  const cores = Math.min(machine.cores, machine.coresQuota ?? Number.POSITIVE_INFINITY);
  const quota = machine.coresQuota === null ? '' : `, of which the container may use ${cores}`;
  const text = `${machine.cores} cores${quota}; --threads ${threads}, --workers ${workers}, and the main thread`;
  const facts = { cores, threads, workers };
  // The main thread mostly waits.
  if (threads + workers <= cores) return ok('cores', text, facts);
  // That is the default there, and the least there can be.
  if (threads <= 1 && workers <= 1) return ok('cores', `${text}: they share`, facts);
  return warn('cores', text, 'give it more cores, or fewer --threads and --workers', facts);
}

/** Handlers that use all that --worker-heap-mb lets them, and a full table of keys, must fit. */
export function memoryFinding(options: Options, { memoryBytes }: MachineFacts): Finding {
  const { threads, workers, workerHeapMb, idempotencyKeysMax } = options;
  const heaps = workers * workerHeapMb * 1024 ** 2;
  const keys = idempotencyKeysMax * KEY_BYTES;
  const needBytes = heaps + keys + (1 + threads) * THREAD_BYTES;
  const text = `${bytesText(memoryBytes)}; at most about ${bytesText(needBytes)} needed, ${bytesText(heaps)} of it by handlers, ${bytesText(keys)} by idempotency keys`;
  const facts = { memoryBytes, needBytes };
  if (needBytes <= memoryBytes) return ok('memory', text, facts);
  const mend =
    'lower --worker-heap-mb, --workers or --idempotency-keys-max, or give it more memory';
  return warn('memory', text, mend, facts);
}
