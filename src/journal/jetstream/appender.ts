import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame } from '../../model/frame.js';
import { type Appender, CommitAmbiguous, CommitRefused } from '../../model/journal.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { framePublication } from '../nats/headers.js';
import type { JetStreamNames } from '../nats/names.js';

export interface JetStreamAppenderBounds {
  /** Milliseconds until a frame whose ack does not come is given up as ambiguous. */
  readonly commitMsMax: number;
  /** Whether that time is used for retries; if not, the first failure is final. */
  readonly retries: boolean;
}

/** One of several tries: an ack normally takes about a millisecond. */
const ATTEMPT_MS_MAX = 2000;

/** Before a retry of a frame: the server refuses it while the first try is still in progress. */
const PAUSE_MS = 100;

/** How long commits are refused without a try after one was given up, so that a frozen server costs little. */
const COOLDOWN_MS = 1000;

/**
 * Appends to JetStream: one per intake thread, each with its own connection, which is established in the background.
 * While it is down, commits are refused at once.
 */
export class JetStreamAppender implements Appender {
  readonly name = 'jetstream';
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;
  readonly #bounds: JetStreamAppenderBounds;
  readonly #underWay = new Set<Promise<null>>();
  #cooldownUntilMs = 0;
  #closed = false;

  constructor(
    connection: JetStreamConnection,
    names: JetStreamNames,
    bounds: JetStreamAppenderBounds,
  ) {
    this.#connection = connection;
    this.#names = names;
    this.#bounds = bounds;
  }

  /** Resolves when it first takes commits; rejects with an OperatorFault when it never will. */
  get ready(): Promise<void> {
    return this.#connection.ready;
  }

  get writable(): boolean {
    return !this.#closed && this.#connection.up && !this.#isCoolingDown();
  }

  get reason(): string {
    if (this.#closed) return 'the journal is closed';
    if (!this.#connection.up) return this.#connection.reason;
    return this.#isCoolingDown() ? 'NATS does not acknowledge' : '';
  }

  commit(frame: Frame): Promise<null> {
    if (!this.writable) return Promise.reject(new CommitRefused(this.reason));
    const commit = this.#commit(frame);
    this.#underWay.add(commit);
    return commit.finally(() => this.#underWay.delete(commit));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.#connection.close();
  }

  async #commit(frame: Frame): Promise<null> {
    const publication = framePublication(this.#names, frame);
    const deadlineMs = performance.now() + this.#bounds.commitMsMax;
    let leftMs = this.#bounds.commitMsMax;
    let isAmbiguous = false;
    let reason = '';
    while (leftMs > 0) {
      const outcome = await this.#connection.publisher.attempt(
        publication,
        this.#bounds.retries ? Math.min(leftMs, ATTEMPT_MS_MAX) : leftMs,
      );
      if (outcome.verdict === 'stored') return null;
      reason = outcome.reason;
      // A refusal is about its own try only: an earlier try may have been stored.
      isAmbiguous ||= outcome.verdict === 'ambiguous';
      if (!isAmbiguous) throw new CommitRefused(reason);
      if (!this.#bounds.retries) throw new CommitAmbiguous(reason);
      await sleep(PAUSE_MS);
      await this.#connection.whenUp(deadlineMs - performance.now());
      leftMs = deadlineMs - performance.now();
    }
    this.#cooldownUntilMs = performance.now() + COOLDOWN_MS;
    throw new CommitAmbiguous(reason);
  }

  #isCoolingDown(): boolean {
    return this.#cooldownUntilMs !== 0 && performance.now() < this.#cooldownUntilMs;
  }
}
