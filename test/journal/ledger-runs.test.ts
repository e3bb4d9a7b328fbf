import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeEntry, encodeEntry, type LedgerEntry } from '../../src/journal/ledger/entry.js';
import { Ledger } from '../../src/journal/ledger/ledger.js';
import { LedgerState } from '../../src/journal/ledger/state.js';
import type { PublishOutcome } from '../../src/journal/nats/publisher.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import type { LeftOrders } from '../../src/model/left-orders.js';
import { at } from './frames.js';

/** A ledger stream in memory that enforces `Nats-Expected-Last-Sequence`. */
class MemoryStream {
  readonly entries: Uint8Array[] = [];
  created = 'once';
  /** Run once, between the decision what to append and the append. */
  meanwhile: () => void = () => {};

  async append(entry: LedgerEntry, lastSeq: number): Promise<PublishOutcome> {
    this.meanwhile();
    this.meanwhile = () => {};
    if (this.entries.length !== lastSeq) return { verdict: 'conflict', reason: 'wrong sequence' };
    this.entries.push(encodeEntry(entry));
    return { verdict: 'stored', seq: this.entries.length };
  }

  async extent() {
    return { created: this.created, firstSeq: 1, lastSeq: this.entries.length };
  }

  async *read(fromSeq: number, toSeq: number): AsyncIterable<[number, LedgerEntry]> {
    for (let seq = fromSeq; seq <= toSeq; seq++) yield [seq, decodeEntry(this.entries[seq - 1]!)];
  }
}

let runs = 0;

interface Run {
  readonly ledger: Ledger;
  readonly state: LedgerState;
  readonly end: () => Promise<void>;
}

class World {
  readonly log = new MemoryStream();
  readonly dead = new Set<string>();
  /** How often a ledger said that NATS is in trouble. */
  troubles = 0;
  readonly #t: TestContext;
  readonly #folders = new Map<string, string>();

  constructor(t: TestContext) {
    this.#t = t;
  }

  /** One run of a process. */
  begin(self: string, left: readonly LeftOrders[] = [], settleGapMs?: number): Run {
    const known = this.#folders.get(self);
    const folder = known ?? mkdtempSync(join(tmpdir(), 'forebay-ledger-'));
    this.#folders.set(self, folder);
    if (known === undefined) this.#t.after(() => rmSync(folder, { recursive: true, force: true }));
    const store = new LocalStore(folder);
    const runId = `run-${runs++}-`;
    const state = new LedgerState(store, self, runId, left);
    const connection = { up: true, reason: '', whenUp: async () => {} };
    const peers = {
      isAlive: (peer: string) => !this.dead.has(peer),
      trouble: () => void this.troubles++,
    };
    const gap = settleGapMs === undefined ? {} : { settleGapMs };
    const parts = {
      self,
      runId,
      connection,
      stream: this.log,
      state,
      peers,
      log: () => {},
      ...gap,
    };
    let isOver = false;
    const end = async () => {
      if (isOver) return;
      isOver = true;
      await state.close();
      await store.close();
    };
    this.#t.after(end);
    return { ledger: new Ledger(parts), state, end };
  }
}

describe('the ledger across restarts of processes', () => {
  test('a claim whose claimant dies while another is under way is granted only by an entry', async (t) => {
    const world = new World(t);
    const [one, two] = [world.begin('one'), world.begin('two')];
    assert.deepEqual(await one.ledger.claim(at('F')), ['ours']);
    world.log.meanwhile = () => void world.dead.add('one');
    assert.deepEqual(await two.ledger.claim(at('F', 'G')), ['taken', 'ours']);
    assert.deepEqual(await two.ledger.claim(at('F')), ['inherited']);
  });

  test('claims of an earlier run are free once the next run has begun', async (t) => {
    const world = new World(t);
    const first = world.begin('one');
    assert.deepEqual(await first.ledger.claim(at('E', 'F', 'G')), ['ours', 'ours', 'ours']);
    await first.end();
    const two = world.begin('two');
    assert.deepEqual(await two.ledger.claim(at('E')), ['taken']);
    const second = world.begin('one');
    // It may claim some of them again before it releases the rest.
    assert.deepEqual(await second.ledger.claim(at('G')), ['ours']);
    await second.ledger.catchUp();
    assert.deepEqual(await two.ledger.claim(at('E', 'F', 'G')), ['ours', 'ours', 'taken']);
  });

  test('what a run that died has left is known to the process that claims its frames next', async (t) => {
    const world = new World(t);
    const first = world.begin('one');
    assert.deepEqual(await first.ledger.claim(at('E', 'F')), ['ours', 'ours']);
    await first.end();
    const two = world.begin('two');
    // More notes than one entry takes: the frames are released with the last of them.
    const notes = Array.from({ length: 9000 }, (_, i) => {
      const isLast = i === 8999;
      return {
        frameId: isLast ? 'F' : `G${i}`,
        first: 3,
        count: 2,
        crashes: isLast ? 2 : 0,
        isAlone: false,
      };
    });
    const second = world.begin('one', notes);
    await second.ledger.catchUp();
    // It announces them in the background.
    while ((await two.ledger.claim(at('F')))[0] !== 'ours') await sleep(5);
    const left = two.ledger.left({ id: 'F' });
    assert.deepEqual(
      [...left].map(([position, { crashes }]) => [position, crashes]),
      [
        [3, 2],
        [4, 2],
      ],
    );
    const settled = { id: 'F', count: 5, refiled: [], dead: [], doneAfterRetry: [] };
    await two.ledger.settle(settled);
    assert.equal(two.ledger.left({ id: 'F' }).size, 0);
    await second.ledger.catchUp();
    assert.equal(second.ledger.left({ id: 'F' }).size, 0);
  });

  test('an order that begins alone counts as started, for the process that inherits it', async (t) => {
    const world = new World(t);
    const [one, two] = [world.begin('one'), world.begin('two')];
    await one.ledger.claim(at('F'));
    await one.ledger.announce({ frameId: 'F', first: 0, count: 1, crashes: 2, isAlone: true });
    world.dead.add('one');
    assert.deepEqual(await two.ledger.claim(at('F')), ['inherited']);
    assert.equal(two.ledger.left({ id: 'F' }).get(0)?.crashes, 2);
    // The same, after a restart of the one that inherited it.
    await two.end();
    assert.equal(world.begin('two').ledger.left({ id: 'F' }).get(0)?.crashes, 2);
  });

  test('a note about more orders than a frame can have is not one of ours', () => {
    const entry = (count: number) =>
      Buffer.from(JSON.stringify({ by: 'one', n: '1', d: [['F', 0, count, 1, 0]] }));
    assert.equal(decodeEntry(entry(10_000)).left[0]?.count, 10_000);
    assert.throws(() => decodeEntry(entry(2 ** 50)), /not an entry/);
  });

  test('claims survive a ledger that was deleted and recreated', async (t) => {
    const world = new World(t);
    const [one, two] = [world.begin('one'), world.begin('two')];
    assert.deepEqual(await one.ledger.claim(at('F')), ['ours']);
    assert.deepEqual(await two.ledger.claim(at('G')), ['ours']);
    world.log.entries.length = 0;
    world.log.created = 'again';
    await one.ledger.catchUp();
    assert.equal(one.ledger.isOurs('F'), true);
    assert.equal(one.ledger.isOurs('G'), false);
  });

  test('claims of an earlier run that was killed before it saved anything are free too', async (t) => {
    const world = new World(t);
    const first = world.begin('one');
    await first.ledger.claim(at('E'));
    // The next run begins on another store, as if nothing had been written: only its id is the same.
    await first.end();
    const two = world.begin('two');
    const second = new World(t);
    second.log.entries.push(...world.log.entries);
    const reborn = second.begin('one');
    await reborn.ledger.catchUp();
    world.log.entries.push(...second.log.entries.slice(world.log.entries.length));
    assert.deepEqual(await two.ledger.claim(at('E')), ['ours']);
  });
});

describe('what the ledger knows of a process that dies', () => {
  test('how far a process was with a frame is known until the frame is settled or released', async (t) => {
    const world = new World(t);
    const one = world.begin('one');
    await one.ledger.claim([{ id: 'F', seq: 7, begun: 3 }]);
    await one.ledger.note({ frameId: 'F', begun: 5, ended: 2, failed: [1] });
    const known = { begun: 5, ended: 2, failed: [1] };
    world.dead.add('one');
    const two = world.begin('two');
    // Two has not begun anything of it.
    assert.deepEqual(await two.ledger.claim([{ id: 'F', seq: 7, begun: 9 }]), ['inherited']);
    assert.deepEqual(two.ledger.progress('F'), known);
    world.dead.add('two');
    const early = world.begin('three');
    await early.ledger.catchUp();
    await early.end();
    const three = world.begin('three');
    assert.deepEqual(await three.ledger.claim([{ id: 'F', seq: 7, begun: 0 }]), ['inherited']);
    assert.deepEqual(three.ledger.progress('F'), known);
    await three.ledger.release(['F']);
    const four = world.begin('four');
    assert.deepEqual(await four.ledger.claim([{ id: 'F', seq: 7, begun: 1 }]), ['ours']);
    assert.deepEqual(four.ledger.progress('F'), { begun: 1, ended: 0, failed: [] });
  });

  test('of a frame that an older version has claimed, any order may have begun', async (t) => {
    const world = new World(t);
    const one = world.begin('one');
    await one.ledger.claim(at('F'));
    world.dead.add('one');
    const two = world.begin('two');
    await two.ledger.claim([{ id: 'F', seq: 7, begun: 0 }]);
    assert.equal(two.ledger.progress('F').begun, Number.MAX_SAFE_INTEGER);
  });

  test('the messages of the dead, of the living and of earlier runs are told apart', async (t) => {
    const world = new World(t);
    const first = world.begin('one');
    await first.ledger.claim([{ id: 'E', seq: 1, begun: 0 }]);
    await first.end();
    const [two, three] = [world.begin('two'), world.begin('three')];
    await two.ledger.claim([{ id: 'F', seq: 2, begun: 0 }]);
    await three.ledger.claim([{ id: 'G', seq: 3, begun: 0 }]);
    world.dead.add('three');
    const second = world.begin('one');
    await second.ledger.catchUp();
    assert.deepEqual(second.ledger.messages(), {
      live: [2],
      dead: new Map([['three', [3]]]),
      abandoned: [1],
    });
  });
});

describe('others get longer to come back after NATS was in trouble:', () => {
  const refused = {
    verdict: 'refused',
    reason: 'full',
    isUnfit: false,
    isUnserved: false,
  } as const;

  for (const [what, outcome, troubles] of [
    ['an entry is refused', refused, 1],
    ['it is unknown whether an entry was stored', { verdict: 'ambiguous', reason: 'late' }, 1],
    ['another process was faster, which is none', { verdict: 'conflict', reason: 'other' }, 0],
  ] as const) {
    test(what, async (t) => {
      const world = new World(t);
      const { ledger } = world.begin('one');
      await ledger.catchUp();
      t.mock.method(world.log, 'append').mock.mockImplementationOnce(async () => outcome);
      assert.deepEqual(await ledger.claim(at('F')), ['ours']);
      assert.equal(world.troubles, troubles);
    });
  }

  test('the ledger cannot be read', async (t) => {
    const world = new World(t);
    const { ledger } = world.begin('one');
    t.mock.method(world.log, 'extent').mock.mockImplementationOnce(async () => {
      throw new Error('no answer');
    });
    await ledger.catchUp();
    assert.equal(world.troubles, 1);
  });
});

describe('the settlements that follow each other', () => {
  /** Longer than a test may take: only another step can end it. */
  const NEVER_MS = 24 * 3_600_000;

  test('share an entry, which a claim writes at once', async (t) => {
    const world = new World(t);
    const { ledger } = world.begin('one', [], NEVER_MS);
    await ledger.claim(at('A', 'B', 'C'));
    const settled = [ledger.settle(frame('A'))];
    await sleep(5);
    settled.push(ledger.settle(frame('B')));
    await sleep(5);
    assert.equal(world.log.entries.length, 1);
    assert.deepEqual(await ledger.claim(at('D')), ['ours']);
    await Promise.all(settled);
    const entry = decodeEntry(world.log.entries[1]!);
    assert.deepEqual(
      entry.settled.map(({ id }) => id),
      ['A', 'B'],
    );
    assert.equal(world.log.entries.length, 2);
  });

  test('are written at once when the journal is closed, and the first one after a rest', async (t) => {
    const world = new World(t);
    const { ledger } = world.begin('one', [], NEVER_MS);
    await ledger.settle(frame('A'));
    const last = ledger.settle(frame('B'));
    ledger.close();
    await last;
    assert.equal(world.log.entries.length, 2);
  });

  function frame(id: string) {
    return { id, count: 5, refiled: [], dead: [], doneAfterRetry: [] };
  }
});
