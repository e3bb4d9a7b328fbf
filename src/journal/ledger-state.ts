import { frameTimeMs } from '../contract/frame-time.js';
import { GroupedWrites } from './grouped-writes.js';
import type { LedgerEntry } from './ledger-entry.js';
import type { LedgerExtent } from './ledger-log.js';
import type { LocalStore } from './local-store.js';
import { recordSettled, type SettledFrame } from './receipts-table.js';

/** Between two writes of what is new: the ledger itself is durable, so this one may lag behind. */
const SAVE_MS = 100;

/** Who settled so many frames since the last save that succeeded forgets the oldest: its disk takes no writes. */
const UNSAVED_MAX = 100_000;

/** Who took a frame made so long ago in hand and never settled it is long gone, and the frame with it. */
const HELD_MS_MAX = 7 * 24 * 60 * 60 * 1000;

const META_KEY = Buffer.from('ledger');

interface Saved {
  readonly created: string;
  readonly appliedSeq: number;
  /** Frame ids with the processes that have them in hand. */
  readonly held: readonly (readonly [string, string])[];
}

/**
 * What the ledger comes to, as far as this process has read it: which frames are in whose hands, and which are
 * settled. The settled ones lie in the local store, where they also answer for the receipts of their orders.
 */
export class LedgerState {
  readonly #store: LocalStore;
  readonly #writes: GroupedWrites;
  readonly #self: string;
  readonly #held = new Map<string, string>();
  readonly #unsaved = new Map<string, SettledFrame>();
  readonly #timer: NodeJS.Timeout;
  #created = '';
  #appliedSeq = 0;
  #isChanged = false;
  #ownNonce = '';

  /** @param self this process; what it had in hand in an earlier life, it has not any more */
  constructor(store: LocalStore, self: string) {
    this.#store = store;
    this.#writes = new GroupedWrites(store);
    this.#self = self;
    this.#load();
    this.#timer = setInterval(() => void this.save().catch(() => {}), SAVE_MS);
    this.#timer.unref();
  }

  /** The number of the last entry applied. */
  get appliedSeq(): number {
    return this.#appliedSeq;
  }

  /** Of the last entry of this process that was applied. */
  get ownNonce(): string {
    return this.#ownNonce;
  }

  /** The process that has the frame in hand; null when none has. */
  holder(frameId: string): string | null {
    return this.#held.get(frameId) ?? null;
  }

  isSettled(frameId: string): boolean {
    if (this.#unsaved.has(frameId)) return true;
    return this.#store.settled.getBinary(Buffer.from(frameId, 'latin1')) !== undefined;
  }

  /** Starts anew when the ledger is not the one that was read before. */
  meet({ created, lastSeq }: LedgerExtent): void {
    if (created === this.#created && lastSeq >= this.#appliedSeq) return;
    this.#created = created;
    this.#appliedSeq = 0;
    this.#held.clear();
    this.#isChanged = true;
  }

  apply(seq: number, entry: LedgerEntry): void {
    this.#appliedSeq = seq;
    this.#isChanged = true;
    if (entry.by === this.#self) this.#ownNonce = entry.nonce;
    for (const id of entry.claimed) this.#held.set(id, entry.by);
    for (const id of entry.released) if (this.#held.get(id) === entry.by) this.#held.delete(id);
    for (const frame of entry.settled) this.settle(frame);
  }

  /** Entries that are gone count as read. */
  skipTo(seq: number): void {
    this.#appliedSeq = Math.max(this.#appliedSeq, seq);
  }

  settle(frame: SettledFrame): void {
    this.#held.delete(frame.id);
    this.#unsaved.set(frame.id, frame);
    this.#isChanged = true;
    if (this.#unsaved.size <= UNSAVED_MAX) return;
    for (const oldest of this.#unsaved.keys()) {
      this.#unsaved.delete(oldest);
      break;
    }
  }

  hold(frameId: string): void {
    this.#held.set(frameId, this.#self);
  }

  release(frameId: string): void {
    this.#held.delete(frameId);
  }

  /** Resolves when what was applied so far is durable here too. @throws Error the disk does not take it */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.#forgetHeldBefore(Date.now() - HELD_MS_MAX);
    const settled = [...this.#unsaved.values()];
    const saved: Saved = {
      created: this.#created,
      appliedSeq: this.#appliedSeq,
      held: [...this.#held],
    };
    try {
      await this.#writes.write(() => {
        for (const frame of settled) recordSettled(this.#store, frame);
        this.#store.meta.put(META_KEY, Buffer.from(JSON.stringify(saved)));
      });
    } catch (error) {
      this.#isChanged = true;
      throw error;
    }
    this.#store.refresh();
    for (const frame of settled) {
      if (this.#unsaved.get(frame.id) === frame) this.#unsaved.delete(frame.id);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.save().catch(() => {});
  }

  #forgetHeldBefore(epochMs: number): void {
    for (const id of this.#held.keys()) if (frameTimeMs(id) < epochMs) this.#held.delete(id);
  }

  #load(): void {
    const found = this.#store.meta.getBinary(META_KEY);
    if (found === undefined) return;
    const { created, appliedSeq, held } = JSON.parse(found.toString()) as Saved;
    this.#created = created;
    this.#appliedSeq = appliedSeq;
    for (const [id, by] of held) if (by !== this.#self) this.#held.set(id, by);
  }
}
