import type { MessagePort } from 'node:worker_threads';
import type { RefusedConnection } from '../../src/intake/connection-gate.js';
import type { OrdersAddress } from '../../src/model/listen.js';
import type { Options } from '../../src/model/options.js';
import type { ReceiptQuery, ReceiptReply } from '../../src/model/receipt.js';
import type { SendersData } from '../../src/model/senders.js';
import type { TlsMaterial } from '../../src/model/tls.js';
import type { Contract } from '../../src/schema/contract.js';
import type { EngineName } from './engine.js';

/** What an intake thread is started with. */
export interface IntakeThreadData {
  readonly options: Options;
  /** What a body must be. */
  readonly contract: Contract;
  /** Null for HTTP without TLS. */
  readonly tls: TlsMaterial | null;
  readonly senders: SendersData;
  /** Memory of `KeyCounts`. */
  readonly keyCounts: SharedArrayBuffer;
  readonly engine: EngineName;
  /** Whether other intake threads listen on the same port. */
  readonly sharesPort: boolean;
  /** The thread's block in the counts: 1 or more, because block 0 belongs to the main thread. */
  readonly countsIndex: number;
  readonly counts: SharedArrayBuffer;
  readonly meter: SharedArrayBuffer;
  /** Connections of clients, all intake threads together. */
  readonly connectionsMax: number;
  readonly intakeThreads: number;
  /** Null without a limit. */
  readonly limiter: SharedArrayBuffer | null;
  /** The table of idempotency keys. */
  readonly keys: SharedArrayBuffer;
  /** Memory of a `WakeFlag`: whether the main thread waits for the next durable frame. Null if it never does. */
  readonly wakeFlag: SharedArrayBuffer | null;
  /** Connects to the pool in direct mode; null in other modes. */
  readonly directPort: MessagePort | null;
}

/** The thread an intake runs in, as the supervisor sees it. A `Worker` is one. */
export interface IntakeThread {
  postMessage(command: IntakeCommand): void;
  on(event: 'message', listener: (report: IntakeReport) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  off(event: 'message', listener: (report: IntakeReport) => void): unknown;
  off(event: 'exit', listener: (code: number) => void): unknown;
  once(event: 'exit', listener: (code: number) => void): unknown;
}

/** Messages from the supervisor to an intake thread. */
export type IntakeCommand =
  | { readonly type: 'listen'; readonly at: OrdersAddress }
  | { readonly type: 'receipts'; readonly replies: readonly ReceiptReply[] }
  | { readonly type: 'tls'; readonly tls: TlsMaterial }
  | { readonly type: 'senders'; readonly senders: SendersData }
  /** From now on each answer asks its client to close the connection. Orders are still taken. */
  | { readonly type: 'endConnections' }
  | { readonly type: 'stopListening' }
  /** After `stopListening`. */
  | { readonly type: 'stop' };

/** Messages from an intake thread to the supervisor. */
export type IntakeReport =
  | { readonly type: 'started' }
  | { readonly type: 'listening' }
  /** The answer to `stopListening`. */
  | { readonly type: 'deaf' }
  /** A frame became durable, and the main thread had asked to be woken. */
  | { readonly type: 'committed' }
  /** The journal accepts writes if `reason` is empty; otherwise it says why not. */
  | { readonly type: 'journal'; readonly reason: string; readonly spoolReason: string }
  /** The answer to `tls`: empty if new connections get the certificate, else why the one before stays in use. */
  | { readonly type: 'tls'; readonly why: string }
  /** The answer to `senders`: they are in use. */
  | { readonly type: 'senders' }
  /** The queries of one event-loop turn. */
  | { readonly type: 'receipts'; readonly queries: readonly ReceiptQuery[] }
  /** Connections are refused. Sent once a second at most. */
  | { readonly type: 'refused'; readonly limit: RefusedConnection; readonly open: number }
  /** A fault that the operator can fix. */
  | { readonly type: 'fault'; readonly message: string; readonly exitCode: number };
