import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { decodeEntry, encodeEntry, type LedgerEntry } from '../../src/journal/ledger/entry.js';
import { Ledger } from '../../src/journal/ledger/ledger.js';
import { LedgerState } from '../../src/journal/ledger/state.js';
import type { PublishOutcome } from '../../src/journal/nats/publisher.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { at } from './frames.js';

/** A ledger stream in memory that enforces `Nats-Expected-Last-Sequence`, and tells nothing about some entries. */
class LosingStream {
  readonly entries: Uint8Array[] = [];
  /** What becomes of the next entry: it is lost, or its ack is. Null for none. */
  next: 'entry' | 'ack' | null = null;
  /** Run when an ack is lost. */
  meanwhile: () => Promise<void> = async () => {};

  async append(entry: LedgerEntry, lastSeq: number): Promise<PublishOutcome> {
    const lost = this.next;
    this.next = null;
    const unknown = { verdict: 'ambiguous', reason: 'timeout' } as const;
    if (lost === 'entry') return unknown;
    if (this.entries.length !== lastSeq) return { verdict: 'conflict', reason: 'wrong sequence' };
    this.entries.push(encodeEntry(entry));
    const seq = this.entries.length;
    if (lost === null) return { verdict: 'stored', seq };
    await this.meanwhile();
    return unknown;
  }

  async extent() {
    return { created: 'once', firstSeq: 1, lastSeq: this.entries.length };
  }

  async *read(fromSeq: number, toSeq: number): AsyncIterable<[number, LedgerEntry]> {
    for (let seq = fromSeq; seq <= toSeq; seq++) yield [seq, this.entry(seq)];
  }

  entry(seq: number): LedgerEntry {
    return decodeEntry(this.entries[seq - 1]!);
  }
}

/** The ledgers of processes `one` and `two`; `dead` has those that died. */
function opened(t: TestContext) {
  const stream = new LosingStream();
  const dead = new Set<string>();
  const open = (self: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'forebay-ledger-'));
    const store = new LocalStore(folder);
    const runId = `run-${self}-`;
    const state = new LedgerState(store, self, runId);
    t.after(async () => {
      await state.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const connection = { up: true, reason: '', whenUp: async () => {} };
    const peers = { isAlive: (peer: string) => !dead.has(peer), trouble: () => {} };
    return new Ledger({ self, runId, connection, stream, state, peers, log: () => {} });
  };
  return { stream, dead, one: open('one'), two: open('two') };
}

function frame(id: string) {
  return { id, count: 5, refiled: [], dead: [], doneAfterRetry: [] };
}

describe('an entry of the ledger', () => {
  for (const lost of ['entry', 'ack'] as const) {
    test(`is stored once, if the first ${lost} is lost`, async (t) => {
      const { stream, one, two } = opened(t);
      stream.next = lost;
      assert.deepEqual(await one.claim(at('E', 'F')), ['ours', 'ours']);
      assert.equal(stream.entries.length, 1);
      stream.next = lost;
      await one.settle(frame('E'));
      assert.equal(stream.entries.length, 2);
      assert.deepEqual(await two.claim(at('E', 'F')), ['settled', 'taken']);
      stream.next = lost;
      await one.release(['F']);
      assert.equal(stream.entries.length, 3);
      assert.deepEqual(await two.claim(at('F')), ['ours']);
    });
  }

  test('of which the ack was lost is not written again behind those of others', async (t) => {
    const { stream, one, two } = opened(t);
    await one.claim(at('F'));
    stream.next = 'ack';
    stream.meanwhile = async () => assert.deepEqual(await two.claim(at('F')), ['ours']);
    await one.release(['F']);
    assert.equal(stream.entries.length, 3);
    assert.deepEqual(await one.claim(at('F')), ['taken']);
    assert.ok(two.isOurs('F'));
  });

  test('of which the ack was lost still tells what was inherited, whatever else is in it', async (t) => {
    const { stream, dead, one, two } = opened(t);
    await one.claim(at('F'));
    dead.add('one');
    await two.claim(at('G'));
    // What comes while that is under way shares the next entry.
    const first = two.catchUp();
    stream.next = 'ack';
    const claimed = two.claim(at('F', 'H'));
    const settled = two.settle(frame('G'));
    assert.deepEqual(await claimed, ['inherited', 'ours']);
    await Promise.all([first, settled]);
    assert.equal(stream.entries.length, 3);
    const { claimed: claims, settled: ends } = stream.entry(3);
    assert.deepEqual([...claims, ...ends].map(({ id }) => id).sort(), ['F', 'G', 'H']);
  });
});
