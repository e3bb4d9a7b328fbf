import type { Frame } from '../../model/frame.js';
import {
  type FrameProgress,
  type LeftNote,
  type LeftOrders,
  NOT_BEGUN,
} from '../../model/left-orders.js';
import type { Log } from '../../model/log.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { SettledFrame } from '../store/receipt-rows.js';
import {
  type ClaimedFrame,
  type LedgerEntry,
  NO_STEPS,
  type NotedProgress,
  progressBytes,
  settledBytes,
} from './entry.js';
import { type LedgerPeers, leaseMsOf } from './peers.js';
import type { LedgerState } from './state.js';
import type { LedgerStream } from './stream.js';

/**
 * `ours`: this process has the claim. `inherited`: the same, and the process that had it before is dead. `settled`: the frame was processed before. `taken`: another process has the
 * claim.
 */
export type ClaimVerdict = 'ours' | 'inherited' | 'settled' | 'taken';

/** By their numbers in the stream. */
export interface HeldMessages {
  /** Claimed by processes that are alive, this one included. */
  readonly live: readonly number[];
  /** Claimed by processes that are dead, by process. */
  readonly dead: ReadonlyMap<string, readonly number[]>;
  /** Left by earlier runs of this process. */
  readonly abandoned: readonly number[];
}

export interface LedgerParts {
  readonly self: string;
  /** Prefix of the nonces of this run's entries. */
  readonly runId: string;
  readonly connection: Pick<JetStreamConnection, 'up' | 'reason' | 'whenUp'>;
  readonly stream: Pick<LedgerStream, 'append' | 'extent' | 'read'>;
  readonly state: LedgerState;
  readonly peers: Pick<LedgerPeers, 'isAlive' | 'trouble'>;
  readonly log: Log;
  /** Default: see SETTLE_GAP_MS. */
  readonly settleGapMs?: number;
}

/** About how large an entry may get, in bytes; the rest goes into the next. */
const ENTRY_BYTES_MAX = 256 * 1024;
const ID_BYTES = 29;
const CLAIM_BYTES = ID_BYTES + 12;
const PAUSE_MS = 100;
const WAIT_MS = 1000;
/**
 * Between the end of an entry and the next one, if that only settles: the settlements of this time share the entry, and their
 * acks a write. The first settlement after a rest is written at once. What someone waits for to begin work never waits.
 */
const SETTLE_GAP_MS = 10;

interface Step {
  readonly claim: readonly ClaimedFrame[];
  readonly progress: NotedProgress | null;
  readonly settle: SettledFrame | null;
  readonly release: readonly string[];
  /** Needs to know what other processes have written. */
  readonly reads: boolean;
  readonly bytes: number;
  readonly resolve: (verdicts: ClaimVerdict[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Keeps a frame from being processed twice in the cases that the server cannot detect: it was stored twice because
 * its first ack was lost, it is delivered again after a restart or a change of leader, or it is delivered to two
 * processes.
 *
 * All processes that drain a stream append to one ledger which frames they claim and which they have settled. An
 * entry is stored only when its writer has read all entries before it (`Nats-Expected-Last-Sequence`), so no two
 * processes can claim the same frame. This is a replicated state machine as in Schneider, "Implementing
 * fault-tolerant services using the state machine approach" (ACM Computing Surveys 22, 1990), with JetStream as the
 * log.
 *
 * One entry is under way at a time; the steps that come in meanwhile share the next. Each entry costs nats-server as much as a
 * frame of orders.
 */
export class Ledger {
  readonly #parts: LedgerParts;
  readonly #settleGapMs: number;
  #steps: Step[] = [];
  #entries = 0;
  #isRunning = false;
  #isCurrent = false;
  #isRefused = false;
  #isClosing = false;
  /** When the last entry ended. */
  #endedTickMs = Number.NEGATIVE_INFINITY;
  #endGap: () => void = () => {};

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#settleGapMs = parts.settleGapMs ?? SETTLE_GAP_MS;
  }

  /**
   * A verdict for each frame; waits while NATS is away.
   * @throws Error the source was closed first
   */
  claim(frames: readonly ClaimedFrame[]): Promise<ClaimVerdict[]> {
    return this.#step({ claim: frames, bytes: frames.length * CLAIM_BYTES });
  }

  /**
   * Resolves when every process can know.
   * @throws Error the source was closed first
   */
  async settle(frame: SettledFrame): Promise<void> {
    await this.#step({ settle: frame, bytes: settledBytes(frame) });
  }

  /** Tried once: if it fails, the frames become free when the lease expires. */
  async release(frameIds: readonly string[]): Promise<void> {
    await this.#step({ release: frameIds, bytes: frameIds.length * ID_BYTES });
  }

  /** Reads what other processes have written, and releases the claims of an earlier run of this process. */
  async catchUp(): Promise<void> {
    await this.#step({ reads: true, bytes: 0 });
  }

  /**
   * Resolves when every process can know that these orders begin now.
   * @throws Error the source was closed first
   */
  async announce(orders: LeftOrders): Promise<void> {
    const { state } = this.#parts;
    state.announce(orders);
    do await this.#step({ bytes: 0 });
    while (state.unannouncedCount > 0 && !this.#isRefused);
  }

  /**
   * Resolves when every process can know how far this one is with a frame that it has claimed.
   * @throws Error the source was closed first
   */
  async note(progress: NotedProgress): Promise<void> {
    await this.#step({ progress, bytes: progressBytes(progress) });
  }

  /** How far the process that has claimed the frame is with it, or one that had it before and died. */
  progress(frameId: string): FrameProgress {
    return this.#parts.state.claim(frameId)?.progress ?? NOT_BEGUN;
  }

  /** What processes that died have left about the frame, by position, as far as this process has read. */
  left(frame: Pick<Frame, 'id'>): ReadonlyMap<number, LeftNote> {
    return this.#parts.state.left(frame);
  }

  /** Whether this process has claimed the frame, as far as it has read. */
  isOurs(frameId: string): boolean {
    return this.#parts.state.claimant(frameId) === this.#parts.self;
  }

  /** The messages that other processes hold, or held when they died, and those that earlier runs of this one have left. */
  messages(): HeldMessages {
    const { state, peers, self } = this.#parts;
    const live: number[] = [];
    const dead = new Map<string, number[]>();
    for (const claim of state.claims()) {
      const { by, seq } = claim;
      if (by === self || peers.isAlive(by, leaseMsOf(claim))) live.push(seq);
      else if (dead.has(by)) dead.get(by)!.push(seq);
      else dead.set(by, [seq]);
    }
    return { live, dead, abandoned: state.abandoned() };
  }

  /** From now on nothing waits for NATS: what it does not take at once is rejected. */
  close(): void {
    this.#isClosing = true;
    this.#endGap();
  }

  #step(wanted: Partial<Step> & { readonly bytes: number }): Promise<ClaimVerdict[]> {
    return new Promise((resolve, reject) => {
      const nothing = { claim: [], settle: null, release: [], progress: null, reads: false };
      this.#steps.push({ ...nothing, ...wanted, resolve, reject });
      if (!this.#isRunning) void this.#run();
      else if (wanted.settle === undefined) this.#endGap();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#steps.length > 0) {
      const gapMs = this.#endedTickMs + this.#settleGapMs - performance.now();
      if (gapMs > 0 && !this.#isClosing && this.#onlySettles()) await this.#gap(gapMs);
      const group = this.#nextGroup();
      try {
        await this.#write(group);
      } catch (error) {
        for (const { reject } of group) reject(error as Error);
      }
      this.#endedTickMs = performance.now();
    }
    this.#isRunning = false;
  }

  #onlySettles(): boolean {
    return this.#steps.every(({ settle }) => settle !== null);
  }

  async #gap(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endGap = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #nextGroup(): Step[] {
    let bytes = 0;
    let taken = 0;
    while (taken < this.#steps.length && (taken === 0 || bytes < ENTRY_BYTES_MAX)) {
      bytes += this.#steps[taken++]!.bytes;
    }
    return this.#steps.splice(0, taken);
  }

  async #write(group: readonly Step[]): Promise<void> {
    const { stream, state } = this.#parts;
    const nonce = `${this.#parts.runId}${this.#entries++}`;
    if (group.some(({ reads }) => reads)) this.#isCurrent = false;
    let inherited: readonly string[] = [];
    for (let isFirst = true; ; isFirst = false) {
      if (!isFirst || !this.#isCurrent || this.#mayBeOutdated(group))
        await this.#readEntries(isFirst);
      // An entry whose result was ambiguous may have been stored after all.
      if (state.ownNonce === nonce) break;
      const entry = this.#entry(group, nonce);
      if (entry === null) break;
      inherited = entry.claimed.flatMap(({ id }) => (state.claimant(id) === null ? [] : [id]));
      const outcome = await stream.append(entry, state.appliedSeq);
      if (outcome.verdict === 'stored') {
        state.apply(outcome.seq, entry);
        this.#isRefused = false;
        if (state.unannouncedCount > 0) this.#step({ bytes: 0 }).catch(() => {});
        break;
      }
      this.#isCurrent = false;
      if (outcome.verdict !== 'conflict') this.#parts.peers.trouble();
      if (outcome.verdict === 'refused' && this.#parts.connection.up) {
        await this.#proceedWithout(entry, outcome.reason);
        break;
      }
    }
    for (const { claim, resolve } of group) {
      resolve(claim.map(({ id }) => this.#answer(id, inherited.includes(id))));
    }
  }

  /** Whether a verdict would be `taken` according to entries that may be outdated. */
  #mayBeOutdated(group: readonly Step[]): boolean {
    return group.some(({ claim }) => claim.some(({ id }) => this.#verdict(id) === 'taken'));
  }

  /** What the group changes, given all that is known; null when nothing. */
  #entry(group: readonly Step[], nonce: string): LedgerEntry | null {
    const { self, state } = this.#parts;
    const claimed = group
      .flatMap(({ claim }) => claim)
      .filter(({ id }) => this.#verdict(id) === 'ours' && state.claimant(id) !== self);
    const settled = group.flatMap(({ settle }) => (settle === null ? [] : [settle]));
    const released = group.flatMap(({ release }) => release);
    const left = state.unannounced();
    // Another process may claim what is released: it must know which orders may have killed the last run.
    if (left.length === state.unannouncedCount) {
      const again = new Set(claimed.map(({ id }) => id));
      released.push(...state.earlierClaims().filter((id) => !again.has(id)));
    }
    const progress = group.flatMap((step) => (step.progress === null ? [] : [step.progress]));
    const steps = { claimed, settled, released, left, progress };
    if (Object.values(steps).every((list) => list.length === 0)) return null;
    return { ...NO_STEPS, ...steps, by: self, nonce };
  }

  #verdict(frameId: string): ClaimVerdict {
    const { self, state, peers } = this.#parts;
    if (state.isSettled(frameId)) return 'settled';
    const claim = state.claim(frameId);
    const isFree =
      claim === null || claim.by === self || !peers.isAlive(claim.by, leaseMsOf(claim));
    return isFree ? 'ours' : 'taken';
  }

  /** Only stored entries count: a claimant may have died, and been replaced, while the entry was under way. */
  #answer(frameId: string, isInherited: boolean): ClaimVerdict {
    const { self, state } = this.#parts;
    if (state.isSettled(frameId)) return 'settled';
    if (state.claimant(frameId) !== self) return 'taken';
    return isInherited ? 'inherited' : 'ours';
  }

  /**
   * Reads what other processes have written. Retries until NATS answers.
   * @throws Error the source was closed first
   */
  async #readEntries(isFirstTry: boolean): Promise<void> {
    const { connection, stream, state, log } = this.#parts;
    for (let tries = 0; ; tries++) {
      if (this.#isClosing && (tries > 0 || !isFirstTry)) throw new Error('the journal is closed');
      try {
        if (!connection.up) throw new Error(connection.reason);
        const extent = await stream.extent();
        state.resetIfReplaced(extent);
        const fromSeq = Math.max(extent.firstSeq, state.appliedSeq + 1);
        for await (const [seq, entry] of stream.read(fromSeq, extent.lastSeq))
          state.apply(seq, entry);
        state.skipTo(extent.lastSeq);
        this.#isCurrent = true;
        return;
      } catch (error) {
        this.#parts.peers.trouble();
        if (tries === 1 && connection.up) {
          log('ledger-waits', `the ledger waits: ${(error as Error).message}`);
        }
        await connection.whenUp(WAIT_MS);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  /**
   * The server takes no entry, for example because its store is full. Waiting for space would be a deadlock, because
   * only settled frames free space. So this process continues with what it knows, and stores the result locally.
   */
  async #proceedWithout(entry: LedgerEntry, reason: string): Promise<void> {
    const { state, log } = this.#parts;
    if (!this.#isRefused) {
      log(
        'ledger-refused',
        `${reason}: the ledger takes no entries, so other processes on this stream may process orders twice`,
      );
    }
    this.#isRefused = true;
    for (const frame of entry.claimed) state.claimUnwritten(frame);
    for (const id of entry.released) state.release(id);
    for (const frame of entry.settled) state.settle(frame);
    if (entry.settled.length > 0) await state.save().catch(() => {});
  }
}
