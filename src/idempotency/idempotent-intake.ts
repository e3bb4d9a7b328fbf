import { type KeyTable, RESERVATION } from '../memory/key-table.js';
import { COUNTER, type ThreadCounts } from '../metrics/count.js';
import type { ReceiptLookup } from '../model/receipt.js';
import type { BodyValidator, Committer, KeyedClient, KeyedIntake } from '../model/stages.js';
import { KeyHasher } from './key-words.js';
import { type AttemptParts, KeyedAttempt } from './keyed-attempt.js';

export interface IdempotentIntakeParts extends AttemptParts {
  readonly table: KeyTable;
  /** One of its own: it is asked in turn with the committer, and would spoil what another remembers. */
  readonly validator: BodyValidator;
  readonly committer: Committer;
  readonly receipts: ReceiptLookup;
  readonly counts: ThreadCounts;
  /** Bodies are no longer than this, and their compact form no longer than they. */
  readonly bodyBytesMax: number;
}

/** How often those who wait for another's order look whether it is through; milliseconds. */
const LOOK_MS = 5;
/** Requests of one thread that may wait so. Each look at all of them takes about a millisecond then. */
const WAITING_MAX = 4096;
const LINE_END_BYTES = 1;
/**
 * Where orders that come with an idempotency key are judged, before the commit. The key is taken in the
 * table that all threads share, and then the order goes the way of all orders. Who finds the key
 * taken, by an order that is not through, waits; and has the same answer then, or takes the key over.
 */
export class IdempotentIntake implements KeyedIntake {
  readonly #parts: IdempotentIntakeParts;
  readonly #hasher: KeyHasher;
  readonly #line: Uint8Array;
  readonly #waiting = new Set<KeyedAttempt>();
  /** Those who wait for a receipt instead. */
  #asking = 0;
  #looking: NodeJS.Timeout | null = null;
  #isStopping = false;
  #onEmpty: (() => void) | null = null;

  constructor(parts: IdempotentIntakeParts) {
    this.#parts = parts;
    this.#hasher = new KeyHasher(parts.table.shape.seeds);
    this.#line = new Uint8Array(parts.bodyBytesMax + LINE_END_BYTES);
  }

  take(key: string, bytes: Uint8Array, length: number, client: KeyedClient): number {
    const { validator } = this.#parts;
    const fault = validator.validate(bytes, 0, length);
    if (fault !== 0) return fault;
    const lineEnd = validator.writeTo(this.#line, 0);
    const words = this.#hasher.wordsOf(key, this.#line, lineEnd - 1);
    const attempt = new KeyedAttempt(this.#parts, key, words, client);
    if (!this.#advance(attempt)) this.#wait(attempt, lineEnd);
    return 0;
  }

  /** Takes no key over any more; resolves when nobody waits here. What is with the committer doesn't count. */
  async drained(): Promise<void> {
    this.#isStopping = true;
    if (this.#waiting.size + this.#asking === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** False when the attempt has to wait: the key is taken by an order that is not through. */
  #advance(attempt: KeyedAttempt): boolean {
    const { table, nowNs, counts } = this.#parts;
    const { client } = attempt;
    switch (table.reserve(attempt.words, nowNs())) {
      case RESERVATION.taken:
        this.#commit(attempt);
        return true;
      case RESERVATION.pending:
        return false;
      case RESERVATION.kept:
        counts.add(COUNTER.idempotentReplays);
        client.replayed(table.foundFrameId, table.foundPosition);
        return true;
      case RESERVATION.reused:
        client.keyReused();
        return true;
      case RESERVATION.doubtful:
        this.#ask(attempt, table.foundFrameId, table.foundPosition);
        return true;
      default:
        counts.add(COUNTER.idempotencyRefused);
        client.refused();
        return true;
    }
  }

  /** The key is this attempt's now. */
  #commit(attempt: KeyedAttempt): void {
    const { validator, committer, table } = this.#parts;
    const { line, client } = attempt;
    // Without having waited, it is the order that the validator judged last.
    if (line !== null) validator.validate(line, 0, line.length - 1);
    if (!this.#isStopping && committer.takeKeyed(validator, attempt)) return;
    table.giveBack(attempt.words);
    client.refused();
  }

  /**
   * Nobody knows what became of the key's order. If the journal has it by now it is remembered as any other;
   * if not it may come yet, so the key stays taken.
   */
  #ask(attempt: KeyedAttempt, frameId: string, index: number): void {
    const { receipts, table, nowNs } = this.#parts;
    const onReceipt = (receipt: string | null) => {
      this.#asking--;
      if (receipt === null || receipt === 'unknown') {
        attempt.client.refused();
      } else {
        table.keep(attempt.words, frameId, index, nowNs());
        // The same order or another: the table says.
        if (!this.#advance(attempt)) attempt.client.refused();
      }
      this.#lookWhetherEmpty();
    };
    this.#asking++;
    if (frameId !== '' && receipts.ask({ frameId, index }, onReceipt)) return;
    this.#asking--;
    attempt.client.refused();
  }

  #wait(attempt: KeyedAttempt, lineBytes: number): void {
    if (this.#waiting.size >= WAITING_MAX) {
      this.#parts.counts.add(COUNTER.idempotencyRefused);
      attempt.client.refused();
      return;
    }
    attempt.line = this.#line.slice(0, lineBytes);
    this.#waiting.add(attempt);
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS);
  }

  #look(): void {
    const now = this.#parts.nowNs();
    for (const attempt of this.#waiting) {
      const { client, deadlineNs } = attempt;
      if (client.isGone || deadlineNs <= now) {
        this.#waiting.delete(attempt);
        client.refused();
      } else if (this.#advance(attempt)) {
        this.#waiting.delete(attempt);
      }
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#looking!);
    this.#looking = null;
    this.#lookWhetherEmpty();
  }

  #lookWhetherEmpty(): void {
    if (this.#waiting.size + this.#asking === 0) this.#onEmpty?.();
  }
}
