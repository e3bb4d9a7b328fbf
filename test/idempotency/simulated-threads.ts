import assert from 'node:assert/strict';
import { GroupCommit } from '../../src/commit/group-commit.js';
import { IdempotentIntake } from '../../src/idempotency/idempotent-intake.js';
import { createKeyMemory } from '../../src/memory/key-layout.js';
import { KeyTable } from '../../src/memory/key-table.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { NOTHING_KEPT } from '../../src/model/kept-headers.js';
import type { Receipt } from '../../src/model/receipt.js';
import type { KeyedClient } from '../../src/model/stages.js';
import { orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';
import { ManualAppender } from '../commit/manual-appender.js';
import { eventually, orderBody } from '../support/orders.js';

export const LIFE_NS = 600e9;
export const PENDING_NS = 3e9;

/** Intake threads that share one key table, on a clock that the test sets. */
export class SimulatedThreads {
  nowNs = 1;
  /** The journal's receipt for any order; null for no answer. */
  receipt: Receipt | null = 'unknown';
  readonly lookups: string[] = [];
  readonly #memory: SharedArrayBuffer;
  readonly #commitMsMax: number;

  constructor({ keysMax = 1000, commitMsMax = 60_000 } = {}) {
    this.#memory = createKeyMemory(keysMax, LIFE_NS, PENDING_NS);
    this.#commitMsMax = commitMsMax;
  }

  thread() {
    const appender = new ManualAppender();
    const counts = new ThreadCounts(createCounts(1), 0);
    const bounds = {
      frameOrdersMax: 100,
      frameBytesMax: 100_000,
      framesInFlightMax: 8,
      waitingOrdersMax: 100,
      commitMsMax: this.#commitMsMax,
      threads: 1,
    };
    const committer = new GroupCommit(appender, bounds, counts, () => {});
    const intake = new IdempotentIntake({
      table: new KeyTable(this.#memory),
      nowNs: () => this.nowNs,
      validator: openValidator(orderContract),
      committer,
      receipts: {
        lookUp: ({ frameId, index }, onReceipt) => {
          this.lookups.push(`${frameId}-${index}`);
          const { receipt } = this;
          const placed = receipt && { status: receipt, ahead: null, byMs: null };
          setImmediate(() => onReceipt(placed));
          return true;
        },
      },
      counts,
      keyIn: null,
      bodyBytesMax: 4096,
    });
    const postBody = (key: string, body: string, client = new Client()): Client => {
      const bytes = new TextEncoder().encode(body);
      assert.equal(intake.take(key, bytes, bytes.length, client), '');
      return client;
    };
    const post = (key: string, username = 'a', client = new Client()): Client =>
      postBody(key, orderBody(username), client);
    return { appender, counts, committer, intake, post, postBody };
  }
}

export class Client implements KeyedClient {
  readonly kept = NOTHING_KEPT;
  readonly owner = '';
  isGone = false;
  answer = '';

  accepted(frameId: string, index: number): void {
    this.#once(`accepted ${frameId}-${index}`);
  }
  refused(): void {
    this.#once('refused');
  }
  ambiguous(): void {
    this.#once('ambiguous');
  }
  replayed(frameId: string, index: number): void {
    this.#once(`replayed ${frameId}-${index}`);
  }
  keyReused(): void {
    this.#once('reused');
  }

  async answered(): Promise<string> {
    await eventually('an answer', () => this.answer !== '');
    return this.answer;
  }

  #once(answer: string): void {
    assert.equal(this.answer, '', 'answered twice');
    this.answer = answer;
  }
}
