import type { Frame } from '../../model/frame.js';
import {
  ANY_BEGUN,
  type FrameProgress,
  type LeftNote,
  LeftNotes,
  type LeftOrders,
  NOT_BEGUN,
} from '../../model/left-orders.js';
import { requireSealed, seal, UNSEALED_HEAD } from '../frame/checksum.js';
import { GroupedWrites } from '../store/grouped-writes.js';
import { putLeft } from '../store/left-rows.js';
import type { LocalStore } from '../store/local-store.js';
import {
  type LetterSteps,
  recordLetterSteps,
  recordSettled,
  type SettledFrame,
} from '../store/receipt-rows.js';
import type { ClaimedFrame, LedgerEntry, NotedProgress } from './entry.js';
import type { LedgerExtent } from './stream.js';

/** Between two writes to the store. It may lag behind, because the ledger itself is durable. */
const SAVE_MS = 100;

/**
 * When this many frames were settled since the last successful save, the oldest are dropped from memory: the disk
 * takes no writes.
 */
const UNSAVED_MAX = 100_000;
/** Changes per transaction: about a megabyte. */
const SAVED_MAX = 10_000;

/** A claim that was not settled for this long is dropped: its process is gone, and so is the frame. */
const CLAIM_MS_MAX = 7 * 24 * 60 * 60 * 1000;

/** Notes in one entry: at most some hundred kilobytes. */
const ANNOUNCED_MAX = 4000;

const META_KEY = Buffer.from('ledger');
/** How the row began before it had a checksum. */
const OLD_START = '{"created":';

interface Saved {
  readonly created: string;
  readonly appliedSeq: number;
  /** Claims: frame id, process, time of the claim in epoch milliseconds. 0.2.0 had not: number of the message, and progress. */
  readonly held: readonly (readonly [string, string, number, number?, FrameProgress?])[];
  /** Absent in what 0.1.0 saved. */
  readonly left?: readonly LeftOrders[];
}

interface Claim {
  readonly by: string;
  readonly sinceMs: number;
  /** See `ClaimedFrame`. */
  readonly seq: number;
  /** Of this process, or of one that had the frame before and died. */
  readonly progress: FrameProgress;
}

/** In the order in which they are to be written. */
type Change = SettledFrame | LetterSteps;

/**
 * The state that the ledger's entries add up to, as far as this process has read them: which process has claimed
 * which frame, and which frames are settled. Settled frames are in the local store, where they also answer for the
 * receipts of their orders.
 */
export class LedgerState {
  readonly #store: LocalStore;
  readonly #writes: GroupedWrites;
  readonly #self: string;
  readonly #runId: string;
  readonly #claims = new Map<string, Claim>();
  /** Claims of an earlier run of this process, which other processes still respect. */
  readonly #earlierClaims = new Set<string>();
  /** Numbers of the messages that an earlier run of this process has claimed and not settled. */
  readonly #abandoned = new Set<number>();
  readonly #unsaved = new Map<string, SettledFrame>();
  /** What processes that died have left about frames that are not settled. */
  #left = new LeftNotes();
  /** Those of them that no entry has yet. */
  readonly #unannounced: LeftOrders[] = [];
  #changes: Change[] = [];
  readonly #timer: NodeJS.Timeout;
  #created = '';
  #appliedSeq = 0;
  #isChanged = false;
  #ownNonce = '';

  /**
   * @param self id of this process
   * @param runId prefix of the nonces of this run's entries; claims of other runs are not valid any more
   * @param left what the last run has left, if it died
   */
  constructor(store: LocalStore, self: string, runId: string, left: readonly LeftOrders[] = []) {
    this.#runId = runId;
    this.#store = store;
    this.#writes = new GroupedWrites(store);
    this.#self = self;
    this.#load();
    for (const orders of left) this.announce(orders);
    this.#timer = setInterval(() => void this.save().catch(() => {}), SAVE_MS);
    this.#timer.unref();
  }

  /** The number of the last entry applied. */
  get appliedSeq(): number {
    return this.#appliedSeq;
  }

  /** The nonce of the last entry of this process that was applied. */
  get ownNonce(): string {
    return this.#ownNonce;
  }

  /** The claim on the frame; null when there is none. */
  claim(frameId: string): Readonly<Claim> | null {
    return this.#claims.get(frameId) ?? null;
  }

  /** The process that has claimed the frame; null when none has. */
  claimant(frameId: string): string | null {
    return this.#claims.get(frameId)?.by ?? null;
  }

  claims(): Iterable<Readonly<Claim>> {
    return this.#claims.values();
  }

  /** Numbers of the messages that earlier runs of this process have left, as far as it has read. */
  abandoned(): readonly number[] {
    return [...this.#abandoned];
  }

  /** Frames that other processes leave to this one because an earlier run of it claimed them. */
  earlierClaims(): string[] {
    return [...this.#earlierClaims];
  }

  /** What processes that died have left about the frame, by position. */
  left(frame: Pick<Frame, 'id'>): ReadonlyMap<number, LeftNote> {
    return this.#left.of(frame);
  }

  /** Known here now, and to other processes with the next entries. */
  announce(orders: LeftOrders): void {
    this.#left.add(orders);
    this.#unannounced.push(orders);
    this.#isChanged = true;
  }

  /** Up to as many as fit into an entry. */
  unannounced(): LeftOrders[] {
    return this.#unannounced.slice(0, ANNOUNCED_MAX);
  }

  get unannouncedCount(): number {
    return this.#unannounced.length;
  }

  isSettled(frameId: string): boolean {
    if (this.#unsaved.has(frameId)) return true;
    return this.#store.settled.getBinary(Buffer.from(frameId, 'latin1')) !== undefined;
  }

  /** A settled frame that is not in the store yet; null when there is none. */
  unsaved(frameId: string): SettledFrame | null {
    return this.#unsaved.get(frameId) ?? null;
  }

  /** Starts from the beginning when this is not the ledger that was read before. */
  resetIfReplaced({ created, lastSeq }: LedgerExtent): void {
    if (created === this.#created && lastSeq >= this.#appliedSeq) return;
    this.#created = created;
    this.#appliedSeq = 0;
    // The claims of this process stay valid, whatever happened to the ledger.
    for (const [id, { by }] of this.#claims) if (by !== this.#self) this.#claims.delete(id);
    this.#earlierClaims.clear();
    this.#isChanged = true;
  }

  apply(seq: number, entry: LedgerEntry): void {
    this.#appliedSeq = seq;
    this.#isChanged = true;
    const isOwn = entry.by === this.#self;
    const isOfEarlierRun = isOwn && !entry.nonce.startsWith(this.#runId);
    if (isOwn) this.#ownNonce = entry.nonce;
    const sinceMs = Date.now();
    for (const { id, seq, begun } of entry.claimed) {
      // Only newer versions note the message, and what has begun. What a process before may have begun stays known.
      const own = seq === 0 ? ANY_BEGUN : { ...NOT_BEGUN, begun };
      const progress = this.#claims.get(id)?.progress ?? own;
      this.#claims.delete(id);
      this.#earlierClaims.delete(id);
      if (isOfEarlierRun) this.#abandon(id, seq);
      else this.#claims.set(id, { by: entry.by, sinceMs, seq, progress });
    }
    for (const noted of entry.progress) this.#note(entry.by, noted);
    for (const id of entry.released) {
      if (this.claimant(id) === entry.by) this.#claims.delete(id);
      if (isOwn) this.#earlierClaims.delete(id);
    }
    for (const frame of entry.settled) this.settle(frame);
    for (const orders of entry.left) if (!this.isSettled(orders.frameId)) this.#left.add(orders);
    // Announced in sequence, and by this run alone.
    if (isOwn && !isOfEarlierRun) this.#announced(entry.left.length);
    if (entry.replayed.length + entry.dropped.length > 0) this.#change(entry);
  }

  /** Entries that no longer exist count as read. */
  skipTo(seq: number): void {
    this.#appliedSeq = Math.max(this.#appliedSeq, seq);
  }

  #note(by: string, { frameId, begun, ended, failed }: NotedProgress): void {
    const claim = this.#claims.get(frameId);
    if (claim?.by !== by) return;
    const known = claim.progress;
    const latest = ended >= known.ended ? { ended, failed } : known;
    const progress = { ...latest, begun: Math.max(known.begun, begun) };
    this.#claims.set(frameId, { ...claim, progress });
  }

  #abandon(frameId: string, seq: number): void {
    this.#earlierClaims.add(frameId);
    if (seq > 0) this.#abandoned.add(seq);
  }

  #announced(count: number): void {
    if (count === 0) return;
    this.#unannounced.splice(0, count);
    if (this.#unannounced.length > 0) return;
    // The ledger has them now.
    this.#writes.write(() => putLeft(this.#store, new LeftNotes())).catch(() => {});
  }

  settle(frame: SettledFrame): void {
    this.#left.remove(frame.id);
    this.#claims.delete(frame.id);
    this.#earlierClaims.delete(frame.id);
    this.#unsaved.set(frame.id, frame);
    this.#change(frame);
  }

  claimUnwritten({ id, seq }: ClaimedFrame): void {
    // No other process learns what begins.
    this.#claims.set(id, { by: this.#self, sinceMs: Date.now(), seq, progress: ANY_BEGUN });
  }

  release(frameId: string): void {
    this.#claims.delete(frameId);
  }

  #change(change: Change): void {
    this.#isChanged = true;
    this.#changes.push(change);
    if (this.#changes.length > UNSAVED_MAX) this.#forgetUnsaved(this.#changes.shift()!);
  }

  #forgetUnsaved(change: Change): void {
    if ('id' in change && this.#unsaved.get(change.id) === change) this.#unsaved.delete(change.id);
  }

  /**
   * Resolves when what was applied so far is durable in the store.
   * @throws Error the disk takes no writes
   */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.#forgetClaimsBefore(Date.now() - CLAIM_MS_MAX);
    const changes = [...this.#changes];
    const saved = this.#saved();
    let at = 0;
    try {
      // The position is written last: changes written before it are applied again after a crash.
      for (; changes.length - at > SAVED_MAX; at += SAVED_MAX) {
        const some = changes.slice(at, at + SAVED_MAX);
        await this.#writes.write(() => this.#record(some));
      }
      await this.#writes.write(() => {
        this.#record(changes.slice(at));
        const row = Buffer.from(UNSEALED_HEAD + JSON.stringify(saved).slice(1));
        this.#store.meta.put(META_KEY, seal(row, META_KEY));
      });
    } catch (error) {
      this.#isChanged = true;
      throw error;
    }
    this.#store.refresh();
    const written = new Set(changes);
    this.#changes = this.#changes.filter((change) => !written.has(change));
    for (const change of changes) this.#forgetUnsaved(change);
  }

  #record(changes: readonly Change[]): void {
    for (const change of changes) {
      if ('id' in change) recordSettled(this.#store, change);
      else recordLetterSteps(this.#store, change);
    }
  }

  #saved(): Saved {
    const held = [...this.#claims].map(
      ([id, { by, sinceMs, seq, progress }]) => [id, by, sinceMs, seq, progress] as const,
    );
    const earlier = [...this.#earlierClaims].map((id) => [id, this.#self, Date.now()] as const);
    return {
      created: this.#created,
      appliedSeq: this.#appliedSeq,
      held: [...held, ...earlier],
      left: this.#left.all(),
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.save().catch(() => {});
  }

  #forgetClaimsBefore(epochMs: number): void {
    for (const [id, { by, sinceMs }] of this.#claims) {
      if (sinceMs < epochMs && by !== this.#self) this.#claims.delete(id);
    }
  }

  #load(): void {
    const found = this.#store.meta.getBinary(META_KEY);
    const saved = found === undefined ? null : savedIn(found);
    if (saved === null) return;
    const { created, appliedSeq, held, left = [] } = saved;
    this.#left = new LeftNotes(left);
    this.#created = created;
    this.#appliedSeq = appliedSeq;
    for (const [id, by, sinceMs, seq = 0, progress = ANY_BEGUN] of held) {
      if (by === this.#self) this.#abandon(id, seq);
      else this.#claims.set(id, { by, sinceMs, seq, progress });
    }
  }
}

/** Null when the row is not as it was written: the ledger is then read from its beginning. */
function savedIn(row: Buffer): Saved | null {
  try {
    requireSealed(row, META_KEY, OLD_START);
    return JSON.parse(row.toString()) as Saved;
  } catch {
    return null;
  }
}
