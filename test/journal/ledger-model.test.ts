import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../drills/ledger/random.js';
import { decodeEntry, encodeEntry, type LedgerEntry } from '../../src/journal/ledger/entry.js';
import { Ledger } from '../../src/journal/ledger/ledger.js';
import { LedgerState } from '../../src/journal/ledger/state.js';
import type { PublishOutcome } from '../../src/journal/nats/publisher.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { at } from './frames.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

const PROCESSES = 3;
const FRAMES = 150;

/** A ledger stream in memory that enforces `Nats-Expected-Last-Sequence` and loses acks. */
class LossyStream {
  readonly entries: Uint8Array[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  async append(entry: LedgerEntry, lastSeq: number): Promise<PublishOutcome> {
    await this.#delay();
    const isLostBefore = this.#random.below(10) === 0;
    const isLostAfter = this.#random.below(10) === 0;
    if (isLostBefore) return { verdict: 'ambiguous', reason: 'timeout' };
    if (this.entries.length !== lastSeq) return { verdict: 'conflict', reason: 'wrong sequence' };
    this.entries.push(encodeEntry(entry));
    const seq = this.entries.length;
    await this.#delay();
    return isLostAfter ? { verdict: 'ambiguous', reason: 'timeout' } : { verdict: 'stored', seq };
  }

  async extent() {
    await this.#delay();
    if (this.#random.below(10) === 0) throw new Error('timeout');
    return { created: 'once', firstSeq: 1, lastSeq: this.entries.length };
  }

  async *read(fromSeq: number, toSeq: number): AsyncIterable<[number, LedgerEntry]> {
    for (let seq = fromSeq; seq <= toSeq; seq++) {
      await this.#delay();
      yield [seq, decodeEntry(this.entries[seq - 1]!)];
    }
  }

  async #delay(): Promise<void> {
    if (this.#random.below(2) === 0) await sleep(this.#random.below(3));
  }
}

function openLedgers(t: TestContext, log: LossyStream): Ledger[] {
  return Array.from({ length: PROCESSES }, (_, i) => {
    const folder = mkdtempSync(join(tmpdir(), 'forebay-ledger-'));
    const store = new LocalStore(folder);
    const state = new LedgerState(store, `process-${i}`, `run-${i}-`);
    t.after(async () => {
      await state.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const connection = { up: true, reason: '', whenUp: async () => {} };
    const peers = { isAlive: () => true, trouble: () => {} };
    const runId = `run-${i}-`;
    return new Ledger({
      self: `process-${i}`,
      runId,
      connection,
      stream: log,
      state,
      peers,
      log: () => {},
    });
  });
}

test(`with lost acks, no frame is claimed or settled twice (seed ${seed})`, async (t) => {
  const random = new Random(seed);
  const ledgers = openLedgers(t, new LossyStream(random));
  const claimed = new Map<string, number>();
  const settledBy = new Map<string, number>();
  const finishing: Promise<void>[] = [];
  let doubles = 0;

  /** Offers frames to one process again and again, like a server that forgets. */
  async function work(process: number): Promise<void> {
    const ledger = ledgers[process]!;
    while (settledBy.size < FRAMES) {
      const ids = Array.from({ length: 1 + random.below(8) }, () => `F${random.below(FRAMES)}`);
      const own = [...new Set(ids)].filter((id) => claimed.get(id) !== process);
      const verdicts = await ledger.claim(at(...own));
      for (const [i, id] of own.entries()) {
        if (verdicts[i] === 'settled') assert.ok(settledBy.has(id), `${id} is not settled`);
        if (verdicts[i] !== 'ours') continue;
        if (claimed.has(id) || settledBy.has(id)) doubles++;
        claimed.set(id, process);
        finishing.push(finish(ledger, process, id));
      }
      await sleep(random.below(3));
    }
  }

  async function finish(ledger: Ledger, process: number, id: string): Promise<void> {
    await sleep(random.below(10));
    assert.equal(claimed.get(id), process);
    if (random.below(4) === 0) {
      // Before the ledger is told: from then on another process may claim it.
      claimed.delete(id);
      await ledger.release([id]);
      return;
    }
    settledBy.set(id, process);
    await ledger.settle({ id, count: 1, refiled: [], dead: [], doneAfterRetry: [] });
    claimed.delete(id);
  }

  await Promise.all(ledgers.map((_, process) => work(process)));
  await Promise.all(finishing);
  assert.equal(doubles, 0);
  assert.equal(settledBy.size, FRAMES);
});
