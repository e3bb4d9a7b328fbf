import type { StoredKey } from '../../model/frame.js';
import {
  decodeFresh,
  freshFacts,
  freshKey,
  type KeyFacts,
  oldestAgeMs,
} from '../store/frame-rows.js';
import { storedKeys } from '../store/idempotency-rows.js';
import type { LocalStore, Table } from '../store/local-store.js';
import { freshRow } from '../store/receipt-rows.js';
import type { LoggedFrame } from './live-segment.js';
import type { LoggedFrames } from './logged-frames.js';

/** Where a frame is. */
export type FrameRow =
  | { readonly table: 'frames' | 'later'; readonly key: Buffer }
  | { readonly table: 'log'; readonly key: Buffer; readonly logged: LoggedFrame };

/** A fresh frame that waits. */
export interface FreshFrame {
  readonly facts: KeyFacts;
  readonly row: FrameRow;
}

type Snapshot = ReturnType<Table['useReadTransaction']>;

/** The fresh frames that wait, in the log and in the tables: its users need not know where a frame is. */
export class WaitingFrames {
  readonly #store: LocalStore;
  readonly #logged: LoggedFrames;

  constructor(store: LocalStore, logged: LoggedFrames) {
    this.#store = store;
    this.#logged = logged;
  }

  /** By id. Those of the log that are claimed, or cannot be read now, are left out. */
  *fresh(): Iterable<FreshFrame> {
    const logged = this.#logged.frames[Symbol.iterator]();
    let next = logged.next();
    for (const found of this.#store.frames.getKeys()) {
      const key = Buffer.from(found);
      const facts = freshFacts(key);
      while (!next.done && next.value.id < facts.id) {
        if (this.#logged.isDue(next.value)) yield freshOf(next.value);
        next = logged.next();
      }
      yield { facts, row: { table: 'frames', key } };
    }
    for (; !next.done; next = logged.next()) {
      if (this.#logged.isDue(next.value)) yield freshOf(next.value);
    }
  }

  /** The row as it was written; undefined when it is not there, or in the log and cannot be delivered now. */
  valueOf(row: FrameRow): Buffer | undefined {
    return row.table === 'log'
      ? this.#loggedValue(row.logged)
      : this.#store[row.table].getBinary(row.key);
  }

  /** If it cannot be read, that is reported and tried again. */
  #loggedValue(logged: LoggedFrame): Buffer | undefined {
    try {
      return this.#logged.valueOf(logged) ?? undefined;
    } catch {
      return undefined;
    }
  }

  /** A frame with this id; null when none waits. */
  find(frameId: string): KeyFacts | null {
    return this.#logged.frames.get(frameId) ?? freshRow(this.#store, frameId);
  }

  /** How many frames and orders there were at the first step, by id, for a count in slices. */
  *counts(snapshot: Snapshot): Iterable<KeyFacts> {
    const logged = Array.from(this.#logged.frames, ({ id, count, acceptedAtMs }) => ({
      id,
      count,
      acceptedAtMs,
    }));
    let at = 0;
    for (const key of this.#store.frames.getKeys({ transaction: snapshot })) {
      const facts = freshFacts(key);
      while (at < logged.length && logged[at]!.id < facts.id) yield logged[at++]!;
      yield facts;
    }
    while (at < logged.length) yield logged[at++]!;
  }

  /** When the oldest frame was accepted, also among the retries; epoch milliseconds, 0 when there is none. */
  oldestAcceptedAtMs(): number {
    this.#store.refresh();
    const times: number[] = [];
    const [key] = this.#store.frames.getKeys({ limit: 1 });
    if (key !== undefined) times.push(freshFacts(key).acceptedAtMs);
    for (const { acceptedAtMs } of this.#logged.frames) {
      times.push(acceptedAtMs);
      break;
    }
    const agedMs = oldestAgeMs(this.#store);
    if (agedMs !== null) times.push(agedMs);
    return times.length === 0 ? 0 : Math.min(...times);
  }

  /**
   * The idempotency keys of orders accepted since `sinceMs`, epoch milliseconds. Those of a frame in the log get their
   * rows when it leaves the log.
   * @param onUnreadable as for `storedKeys`
   */
  *keys(sinceMs: number, onUnreadable: (key: Buffer, why: string) => void): Iterable<StoredKey> {
    this.#store.refresh();
    yield* storedKeys(this.#store, sinceMs, onUnreadable);
    for (const frame of this.#logged.frames) {
      if (frame.isKeyed && frame.acceptedAtMs >= sinceMs) yield* this.#keysIn(frame);
    }
  }

  /** A frame that cannot be decoded is reported when it is delivered. */
  #keysIn(frame: LoggedFrame): StoredKey[] {
    const { id: frameId, acceptedAtMs } = frame;
    const value = this.#loggedValue(frame);
    if (value === undefined) return [];
    try {
      const { keys } = decodeFresh(freshKey(frame), value);
      return keys.map((keyed) => ({ ...keyed, frameId, acceptedAtMs }));
    } catch {
      return [];
    }
  }

  claim(row: FrameRow): void {
    if (row.table === 'log') this.#logged.claim(row.logged);
  }

  release(row: FrameRow): void {
    if (row.table === 'log') this.#logged.release(row.logged);
  }

  /** It is durable that the frame is settled. */
  settled(row: FrameRow): void {
    if (row.table === 'log') this.#logged.settled(row.logged);
  }

  /** It is in the table `unreadable`. */
  discard(row: FrameRow): void {
    if (row.table === 'log') this.#logged.discard(row.logged);
  }
}

function freshOf(logged: LoggedFrame): FreshFrame {
  return { facts: logged, row: { table: 'log', key: freshKey(logged), logged } };
}
