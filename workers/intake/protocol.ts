import type { MessagePort } from 'node:worker_threads';
import type { RefusedConnection } from '../../src/intake/connection-gate.js';
import type { OrdersAddress } from '../../src/model/listen.js';
import type { Options } from '../../src/model/options.js';
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
  /** The thread's block in the counts. */
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
  /** Memory of a `WakeFlag`: whether the drain thread waits for the next durable frame. */
  readonly wakeFlag: SharedArrayBuffer;
  /** Leads to the drain thread. */
  readonly drainPort: MessagePort;
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
  /** First: the journal is open, and the thread opens its end of it. */
  | { readonly type: 'open' }
  | { readonly type: 'listen'; readonly at: OrdersAddress }
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
  /** The journal accepts writes if `reason` is empty; otherwise it says why not. */
  | { readonly type: 'journal'; readonly reason: string; readonly spoolReason: string }
  /** The answer to `tls`: empty if new connections get the certificate, else why the one before stays in use. */
  | { readonly type: 'tls'; readonly why: string }
  /** The answer to `senders`: they are in use. */
  | { readonly type: 'senders' }
  /** Connections are refused. Sent once a second at most. */
  | { readonly type: 'refused'; readonly limit: RefusedConnection; readonly open: number }
  /** A fault that the operator can fix. */
  | { readonly type: 'fault'; readonly message: string; readonly exitCode: number };
