import assert from 'node:assert/strict';
import { it } from 'node:test';
import { GroupCommit, type GroupCommitBounds } from '../../src/commit/group-commit.js';
import { COUNTER, createCounts, GAUGE, ThreadCounts } from '../../src/metrics/count.js';
import { CommitAmbiguous, CommitRefused, VERDICT } from '../../src/model/journal.js';
import type { KeyedBatchWaiter } from '../../src/model/stages.js';
import { randomFrom } from '../memory/random.js';
import { ManualAppender } from './manual-appender.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

/** A batch and what its waiter was told. Its lines are `<name>.<index>`. */
class Batch implements KeyedBatchWaiter {
  isGone = false;
  readonly digest = '0123456789abcdef';
  readonly count: number;
  readonly key: string;
  readonly lines: string[];
  answer = '';
  place = '';

  constructor(name: string, count: number, key: string) {
    this.count = count;
    this.key = key;
    this.lines = Array.from({ length: count }, (_, i) => `${name}.${i}`);
  }

  placed(frameId: string, index: number): void {
    this.place = `${frameId}-${index}`;
  }
  accepted(frameId: string, index: number): void {
    this.#once(`accepted ${frameId}-${index}`);
  }
  acceptedInPart(frameId: string, index: number, failed: readonly number[]): void {
    this.#once(`accepted ${frameId}-${index} without ${failed}`);
  }
  refused(): void {
    this.#once('refused');
  }
  ambiguous(): void {
    this.#once('ambiguous');
  }
  acceptedLate(): void {}
  refusedLate(): void {}

  #once(answer: string): void {
    assert.equal(this.answer, '', `${this.lines[0]} was answered twice`);
    this.answer = answer;
  }
}

const BOUNDS: GroupCommitBounds = {
  frameOrdersMax: 10,
  frameBytesMax: 4096,
  framesInFlightMax: 2,
  waitingOrdersMax: 40,
  commitMsMax: 60_000,
  threads: 1,
};

class Committed {
  readonly appender = new ManualAppender();
  readonly counts = new ThreadCounts(createCounts(1), 0);
  readonly group: GroupCommit;
  readonly batches: Batch[] = [];

  constructor(bounds: Partial<GroupCommitBounds> = {}) {
    this.group = new GroupCommit(this.appender, { ...BOUNDS, ...bounds }, this.counts, () => {});
  }

  /** Null if it was refused. */
  take(name: string, count: number, key = ''): Batch | null {
    const batch = new Batch(name, count, key);
    const bytes = Buffer.from(batch.lines.map((line) => `${line}\n`).join(''));
    const lines = { bytes, length: bytes.length, count };
    const { group } = this;
    const isTaken = key === '' ? group.takeBatch(lines, batch) : group.takeKeyedBatch(lines, batch);
    if (!isTaken) return null;
    this.batches.push(batch);
    return batch;
  }

  leave(batch: Batch): void {
    batch.isGone = true;
    this.group.withdrawGone();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
async function turns(): Promise<void> {
  for (let i = 0; i < 4; i++) await turn();
}

it('a batch is in one frame, and its waiter is called once with the place of its first order', async () => {
  const committed = new Committed();
  const [a, b, c] = [3, 6, 4].map((count, i) => committed.take(`b${i}`, count, `key-${i}`)!);
  await turns();
  const [first] = committed.appender.sent;
  assert.equal(first!.frame.count, 9);
  assert.deepEqual(
    first!.frame.keys.map(({ position, key }) => `${position} ${key}`),
    ['0 key-0', '3 key-1'],
  );
  first!.resolve(null);
  await turns();
  const second = committed.appender.sent[1];
  assert.equal(second!.frame.count, 4, 'it does not fit into the frame before');
  second!.resolve(null);
  await turn();
  assert.deepEqual(
    [a!, b!, c!].map(({ answer }) => answer),
    [
      `accepted ${first!.frame.id}-0`,
      `accepted ${first!.frame.id}-3`,
      `accepted ${second!.frame.id}-0`,
    ],
  );
  assert.equal(committed.counts.get(COUNTER.ordersAccepted), 13);
});

it('each order of a batch waits: one that does not fit is refused whole', () => {
  const committed = new Committed({ waitingOrdersMax: 10 });
  assert.ok(committed.take('a', 6));
  assert.equal(committed.take('b', 5), null);
  assert.ok(committed.take('c', 4));
});

it('a batch of a client that has disconnected leaves its frame whole', async () => {
  const committed = new Committed();
  const [a, b] = [committed.take('a', 4, 'key-a')!, committed.take('b', 3, 'key-b')!];
  committed.leave(a);
  await turns();
  const { frame, text } = committed.appender.sent[0]!;
  assert.equal(text, 'b.0\nb.1\nb.2\n');
  assert.deepEqual(
    [a.answer, b.place, committed.counts.get(COUNTER.ordersWithdrawn)],
    ['refused', `${frame.id}-0`, 4],
  );
});

it('verdicts per order become one of the batch', async () => {
  const { accepted, refused, unknown } = VERDICT;
  for (const [verdicts, answer] of [
    [[accepted, accepted, accepted], 'accepted -1'],
    [[refused, refused, refused], 'refused'],
    [[refused, accepted, refused], 'accepted -1 without 0,2'],
    [[accepted, unknown, refused], 'ambiguous'],
  ] as const) {
    const committed = new Committed();
    const [one, batch] = [committed.take('one', 1)!, committed.take('batch', 3)!];
    await turns();
    const { frame, resolve } = committed.appender.sent[0]!;
    resolve(Uint8Array.from([accepted, ...verdicts]));
    await turn();
    assert.equal(one.answer, `accepted ${frame.id}-0`);
    assert.equal(batch.answer, answer.replace('accepted ', `accepted ${frame.id}`));
  }
});

it('batches, disconnects and commits in any sequence: each batch is in one frame, or in none', async (t) => {
  t.diagnostic(`FOREBAY_SEED=${seed}`);
  for (let run = 0; run < 150; run++) await playRandomly(randomFrom(seed + run));
});

async function playRandomly(random: (n: number) => number): Promise<void> {
  const committed = new Committed({
    frameOrdersMax: 4 + random(8),
    frameBytesMax: 200 + random(400),
    framesInFlightMax: 1 + random(3),
  });
  const sent = new Set<Batch>();
  let framesSeen = 0;
  const open: number[] = [];
  const settle = () => {
    const [index] = open.splice(random(open.length), 1);
    const { resolve, reject } = committed.appender.sent[index!]!;
    const roll = random(4);
    if (roll < 2) resolve(null);
    else reject(roll === 2 ? new CommitRefused('full') : new CommitAmbiguous('no ack'));
  };
  const look = () => {
    for (; framesSeen < committed.appender.sent.length; framesSeen++) {
      open.push(framesSeen);
      for (const batch of batchesIn(committed, framesSeen)) {
        assert.equal(batch.answer, '');
        assert.ok(!sent.has(batch), 'in two frames');
        sent.add(batch);
      }
    }
  };
  for (let step = 0; step < 100; step++) {
    const roll = random(10);
    const waiting = committed.batches.filter(({ answer, isGone }) => answer === '' && !isGone);
    if (roll < 5) committed.take(`b${step}`, 1 + random(4), random(3) === 0 ? `key-${step}` : '');
    else if (roll < 7 && waiting.length > 0) committed.leave(waiting[random(waiting.length)]!);
    else if (roll < 9) await turn();
    else if (open.length > 0) settle();
    look();
  }
  for (;;) {
    await turns();
    look();
    if (open.length === 0) break;
    while (open.length > 0) settle();
  }
  for (const batch of committed.batches) {
    assert.notEqual(batch.answer, '');
    assert.ok(sent.has(batch) || (batch.isGone && batch.answer === 'refused'));
  }
  assert.equal(committed.counts.get(GAUGE.waitingOrders), 0);
}

/** @throws AssertionError a batch is there in part, or not in sequence, or its key has another place */
function batchesIn({ appender, batches }: Committed, frameIndex: number): Batch[] {
  const { frame, text } = appender.sent[frameIndex]!;
  const lines = text.split('\n').slice(0, -1);
  assert.equal(frame.count, lines.length);
  const found: Batch[] = [];
  const keys: unknown[] = [];
  for (let position = 0; position < lines.length; ) {
    const batch = batches.find(({ lines: [first] }) => first === lines[position]);
    assert.ok(batch, `${lines[position]} begins a batch`);
    assert.deepEqual(lines.slice(position, position + batch.count), batch.lines);
    if (batch.key !== '') {
      assert.equal(batch.place, `${frame.id}-${position}`);
      keys.push({ position, key: batch.key, digest: batch.digest });
    }
    found.push(batch);
    position += batch.count;
  }
  assert.deepEqual(frame.keys, keys);
  return found;
}
