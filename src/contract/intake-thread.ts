import type { MessagePort } from 'node:worker_threads';
import type { Options } from './options.js';

/** What an intake thread is started with. */
export interface IntakeThreadData {
  readonly options: Options;
  /** Its block in the counts; the main thread has block 0, so this is 1 or more. */
  readonly countsIndex: number;
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  /** Null where there is no limit. */
  readonly limiter: SharedArrayBuffer | null;
  /** In direct mode, the way to the pool; null otherwise. */
  readonly directPort: MessagePort | null;
}

/** What the main thread asks of an intake thread. */
export type IntakeCommand =
  | { readonly do: 'listen'; readonly port: number }
  | { readonly do: 'stop' };

/** What an intake thread tells the main thread. */
export type IntakeReport =
  | { readonly is: 'open' }
  | { readonly is: 'listening' }
  /** Frames became durable since the last report of this kind. */
  | { readonly is: 'committed' }
  /** The journal takes writes when `reason` is empty; otherwise it says why not. */
  | { readonly is: 'journal'; readonly reason: string }
  /** A fault that the operator can mend. */
  | { readonly is: 'fault'; readonly message: string; readonly exitCode: number };
