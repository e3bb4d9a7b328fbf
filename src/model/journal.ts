import type { Frame } from './frame.js';
import type { FrameProgress, LeftNote } from './left-orders.js';
import type { Receipt } from './receipt.js';

export type JournalName = 'local' | 'jetstream' | 'direct';

/** The result of one order of a commit, in a journal where orders can fail one by one. */
export const VERDICT = {
  refused: 0,
  accepted: 1,
  /** It is unknown whether the order was accepted: the client gets no answer. */
  unknown: 2,
} as const;

/** Appends frames to a journal. Each intake thread has its own. */
export interface Appender {
  readonly name: JournalName;
  /**
   * Whether a commit can succeed now. While false, the intake answers 503 without trying: JetStream drops bytes that
   * are written while disconnected, which would make the result ambiguous.
   */
  readonly writable: boolean;
  /** Why it is not writable, in one line; empty while it is. */
  readonly reason: string;
  /** Why commits go to the spool although it is writable, in one line; empty or absent while they do not. */
  readonly spoolReason?: string;
  /**
   * Resolves when the frame is durable: with `null` when all orders are, or, if orders can fail one by one (direct
   * mode), with one `VERDICT` per order.
   *
   * @throws CommitRefused nothing was stored; the clients get 503
   * @throws CommitAmbiguous it is unknown whether the frame was stored; the clients get no answer
   */
  commit(frame: Frame): Promise<Uint8Array | null>;
  /** Waits for the commits in flight, then releases all resources. */
  close(): Promise<void>;
}

/** The frame was not stored. */
export class CommitRefused extends Error {
  override readonly name = 'CommitRefused';
}

/** The acknowledgement did not arrive: the frame may or may not be stored. */
export class CommitAmbiguous extends Error {
  override readonly name = 'CommitAmbiguous';
}

/** Reads frames from a journal. There is one, in the drain thread. */
export interface Source {
  readonly name: JournalName;
  /**
   * Waits until at least one frame is due and returns up to `framesMax` frames. A frame is not returned again until it
   * is settled or released. Resolves with an empty array only when `signal` is aborted or the source is closed. Does
   * not throw: while the journal is unavailable it waits.
   * @param begunMax orders of these frames that may begin without a note: see `Delivery.begunMax`
   */
  pull(framesMax: number, signal: AbortSignal, begunMax?: number): Promise<Delivery[]>;
  /** Orders that wait or are being processed; an estimate if the backlog is older than this process. */
  pendingOrders(): number;
  /** When the oldest unsettled frame was accepted, epoch milliseconds; 0 when there is none. */
  oldestAcceptedAtMs(): number;
  /** Number of dead letters; changes by other processes count within about a second. */
  deadLetters(): number;
  /**
   * 0 while another process may have been given the frames pulled here: no order should be started. Otherwise a number
   * that changes each time this was in doubt, after which some deliveries may be lost (`isLost`).
   */
  readonly term: number;
  /** The receipt of the order `<frameId>-<index>`. */
  receipt(frameId: string, index: number): Promise<Receipt>;
  /**
   * How many orders are before a waiting order of a fresh frame; null where that cannot be known. To be called after
   * `receipt`.
   */
  ordersAhead(frameId: string, index: number): Promise<number | null>;
  /**
   * Orders per second that all processes have finished in the last seconds; null if unknown. Absent where no other
   * process drains.
   */
  readonly throughputOfAll?: () => number | null;
  /** Whether the journal answers; `reason` says in one line why not. */
  readonly reachable: boolean;
  readonly reason: string;
  close(): Promise<void>;
}

/** A frame that was pulled and is not settled yet. */
export interface Delivery {
  readonly frame: Frame;
  /** Another process has the frame now: no order of it should be started; `settle` and `release` do nothing. */
  readonly isLost: boolean;
  /** What processes that died have left about its orders, by position; empty for nothing. */
  readonly left: ReadonlyMap<number, LeftNote>;
  /** How many orders from the front may begin before `note` says more; all by default. */
  readonly begunMax?: number;
  /**
   * Notes how far the frame is. Resolves when every process that could get the frame can know. Absent if no other
   * process can get it.
   * @throws Error the source was closed first
   */
  readonly note?: (progress: FrameProgress) => Promise<void>;
  /**
   * Notes that the frame's one order begins while no other is in progress, for the `crashes`-th crash. Resolves when
   * every process that could get the frame can know.
   * @throws Error the source was closed first
   */
  startsAlone(crashes: number): Promise<void>;
  /**
   * Ends this delivery: the listed orders are refiled or become dead letters, all others are done, and the frame
   * leaves the journal. Atomic in the local journal. In JetStream the new records are stored before the old one is
   * acknowledged, so a crash between the two repeats orders but loses none. Retries until it succeeds or the source
   * is closed.
   */
  settle(settlement: Settlement): Promise<void>;
  /** Returns the frame to the journal unchanged, due at once. */
  release(): void;
}

/** Positions are indexes into the delivered frame. Orders that are not listed are done. */
export interface Settlement {
  readonly refile: readonly Refile[];
  readonly dead: readonly DeadLetter[];
}

export interface Refile {
  readonly positions: readonly number[];
  readonly attempt: number;
  readonly notBeforeMs: number;
  /** See `Frame.crashes`; there is one position then. */
  readonly crashes?: number | undefined;
}

export interface DeadLetter {
  readonly position: number;
  readonly reason: string;
  /** How often it was started in vain; by default, the attempt of its frame. */
  readonly attempts?: number;
}
