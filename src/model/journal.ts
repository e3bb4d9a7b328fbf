import type { Frame } from './frame.js';
import type { Receipt } from './receipt.js';

export type JournalName = 'local' | 'jetstream' | 'direct';

/** What became of one order of a commit, where orders can fail one by one. */
export const VERDICT = {
  refused: 0,
  accepted: 1,
  /** Nobody knows: no answer can be honest. */
  unknown: 2,
} as const;

/** The writing side of a journal. Each intake thread has its own. */
export interface Appender {
  readonly name: JournalName;
  /**
   * Whether a commit has a chance now. While it is false, intake answers 503 without trying: for
   * JetStream, bytes written while disconnected would be dropped and the answer would be ambiguous.
   */
  readonly writable: boolean;
  /** Why it is not writable, in one line; empty while it is. */
  readonly reason: string;
  /**
   * Resolves when the frame is durable: `null` when that holds for all its orders, or, where orders
   * can fail one by one (direct), a `VERDICT` an order.
   *
   * @throws CommitRefused nothing of the frame was kept; safe to answer 503.
   * @throws CommitAmbiguous nobody knows whether it was kept; no answer can be honest.
   */
  commit(frame: Frame): Promise<Uint8Array | null>;
  /** Waits for the commits under way, then lets go of what it holds. */
  close(): Promise<void>;
}

/** The frame was not kept, for certain. */
export class CommitRefused extends Error {
  override readonly name = 'CommitRefused';
}

/** The acknowledgement never came: the frame may or may not be kept. */
export class CommitAmbiguous extends Error {
  override readonly name = 'CommitAmbiguous';
}

/** The reading side of a journal: one, in the main thread. */
export interface Source {
  readonly name: JournalName;
  /**
   * Waits until at least one frame is due and returns up to `framesMax` of them. Each is in hand
   * until it is settled or released, and is not returned again meanwhile. Resolves with an empty
   * array only when `signal` is aborted or the source is closed. Does not throw: a journal that is
   * away is waited for.
   */
  pull(framesMax: number, signal: AbortSignal): Promise<Delivery[]>;
  /** What waits in the journal or is in hand. Orders; an estimate where the backlog predates this process. */
  pendingOrders(): number;
  /** Epoch milliseconds at which the oldest unsettled frame was accepted; 0 when there is none. */
  oldestAcceptedAtMs(): number;
  /** Dead letters kept now; those that another process filed or took away count within about a second. */
  deadLetters(): number;
  /**
   * 0 while it is not sure that what is in hand has not been given to others: nothing of it should be begun. Else a
   * number that changes when it was not sure meanwhile: some deliveries may be lost then.
   */
  readonly term: number;
  /** What became of the order `<frameId>-<index>`. */
  receipt(frameId: string, index: number): Promise<Receipt>;
  /** Whether the journal answers, and if not why, in one line. */
  readonly reachable: boolean;
  readonly reason: string;
  close(): Promise<void>;
}

/** A frame in hand. */
export interface Delivery {
  readonly frame: Frame;
  /** Another process has it now: what is not begun should not be, and settling it or putting it back does nothing. */
  readonly isLost: boolean;
  /**
   * Ends this delivery: the listed orders are filed again or kept as dead letters, all others are
   * done, and then the frame leaves the journal. Atomic in the local journal. In JetStream the new
   * records are stored before the old one is acknowledged, so a crash between the two repeats
   * orders but loses none. Retries inside until it succeeds or the source is closed.
   */
  settle(settlement: Settlement): Promise<void>;
  /** Puts the frame back as it was, due at once. */
  release(): void;
}

/** Positions are indexes into the delivered frame. A position listed nowhere is done. */
export interface Settlement {
  readonly refile: readonly Refile[];
  readonly dead: readonly DeadLetter[];
}

export interface Refile {
  readonly positions: readonly number[];
  readonly attempt: number;
  readonly notBeforeMs: number;
}

export interface DeadLetter {
  readonly position: number;
  readonly reason: string;
}
