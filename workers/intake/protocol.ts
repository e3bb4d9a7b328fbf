import type { MessagePort } from 'node:worker_threads';
import type { Options } from '../../src/model/options.js';
import type { ReceiptAnswer, ReceiptQuestion } from '../../src/model/receipt.js';

/** What an intake thread is started with. */
export interface IntakeThreadData {
  readonly options: Options;
  /** Its block in the counts; the main thread has block 0, so this is 1 or more. */
  readonly countsIndex: number;
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  /** Null where there is no limit. */
  readonly limiter: SharedArrayBuffer | null;
  /** The table of idempotency keys. */
  readonly keys: SharedArrayBuffer;
  /** Whether anybody wants to hear of frames that became durable; null where nobody ever does. */
  readonly commitBell: SharedArrayBuffer | null;
  /** In direct mode, the way to the pool; null otherwise. */
  readonly directPort: MessagePort | null;
}

/** Where an intake runs: a `Worker` is one. */
export interface IntakeHost {
  postMessage(command: IntakeCommand): void;
  on(event: 'message', listener: (report: IntakeReport) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  off(event: 'message', listener: (report: IntakeReport) => void): unknown;
  off(event: 'exit', listener: (code: number) => void): unknown;
  once(event: 'exit', listener: (code: number) => void): unknown;
}

/** What the main thread asks of an intake thread. */
export type IntakeCommand =
  | { readonly do: 'listen'; readonly port: number }
  | { readonly do: 'receipts'; readonly answers: readonly ReceiptAnswer[] }
  | { readonly do: 'stop' };

/** What an intake thread tells the main thread. */
export type IntakeReport =
  | { readonly is: 'open' }
  | { readonly is: 'listening' }
  /** A frame became durable, and somebody had asked to hear of the next. */
  | { readonly is: 'committed' }
  /** The journal takes writes when `reason` is empty; otherwise it says why not. */
  | { readonly is: 'journal'; readonly reason: string }
  /** The questions of one turn. */
  | { readonly is: 'receipts'; readonly questions: readonly ReceiptQuestion[] }
  /** A fault that the operator can mend. */
  | { readonly is: 'fault'; readonly message: string; readonly exitCode: number };
