import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { it, type TestContext } from 'node:test';
import { GroupCommit, type GroupCommitBounds } from '../../src/commit/group-commit.js';
import { COUNTER, createCounts, GAUGE, ThreadCounts } from '../../src/metrics/count.js';
import type { BatchWaiter, KeyedWaiter } from '../../src/model/stages.js';
import { randomFrom } from '../memory/random.js';
import { ManualAppender } from './manual-appender.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

const BOUNDS: GroupCommitBounds = {
  frameOrdersMax: 100,
  frameBytesMax: 65_536,
  framesInFlightMax: 2,
  waitingOrdersMax: 100,
  commitMsMax: 60_000,
  threads: 1,
};

/** One order, or a batch. It knows what it was told. */
class Request implements BatchWaiter, KeyedWaiter {
  isGone = false;
  readonly key: string;
  readonly digest = '0123456789abcdef';
  readonly lines: readonly string[];
  answer = '';
  place = '';

  constructor(name: string, orders: number, key: string) {
    this.lines = Array.from({ length: orders }, (_, i) => `${name}.${i}`);
    this.key = key;
  }

  placed(frameId: string, index: number): void {
    this.place = `${frameId}-${index}`;
  }
  accepted(frameId: string, index: number): void {
    this.#once(`${frameId}-${index}`);
  }
  refused(): void {
    this.#once('refused');
  }
  ambiguous(): void {
    this.#once('ambiguous');
  }
  acceptedInPart(): void {
    this.#once('in part');
  }
  acceptedLate(): void {}
  refusedLate(): void {}

  #once(answer: string): void {
    assert.equal(this.answer, '', `${this.lines} was answered twice`);
    this.answer = answer;
  }
}

/** A group commit whose clock is that of the test. Its sleeps move the clock on. */
class Held {
  readonly appender = new ManualAppender();
  readonly counts = new ThreadCounts(createCounts(1), 0);
  readonly group: GroupCommit;
  readonly requests: Request[] = [];
  readonly sleepsMs: number[] = [];
  clockMs = 1000;
  #duringSleep = () => {};
  #settled = 0;

  constructor(t: TestContext, bounds: Partial<GroupCommitBounds> = {}) {
    t.mock.method(performance, 'now', () => this.clockMs);
    t.mock.method(
      Atomics,
      'wait',
      (_cells: Int32Array, _at: number, _value: number, ms: number) => {
        this.clockMs += ms;
        this.sleepsMs.push(ms);
        setImmediate(this.#duringSleep);
        this.#duringSleep = () => {};
      },
    );
    this.group = new GroupCommit(this.appender, { ...BOUNDS, ...bounds }, this.counts, () => {});
  }

  /** What happens during the next sleep: the thread sees it once it wakes up. */
  onceAsleep(happens: () => void): void {
    this.#duringSleep = happens;
  }

  /** Null if it was refused. */
  take(orders = 1, key = ''): Request | null {
    const request = new Request(`r${this.requests.length}`, orders, key);
    const bytes = Buffer.from(request.lines.map((line) => `${line}\n`).join(''));
    const batch = { bytes, length: bytes.length, count: orders };
    const line = {
      compactLength: bytes.length,
      writeTo: (to: Uint8Array, at: number) => {
        to.set(bytes, at);
        return at + bytes.length;
      },
    };
    let isTaken: boolean;
    if (orders > 1 && key !== '') isTaken = this.group.takeKeyedBatch(batch, request as never);
    else if (orders > 1) isTaken = this.group.takeBatch(batch, request);
    else if (key !== '') isTaken = this.group.takeKeyed(line as never, request);
    else isTaken = this.group.take(line as never, request);
    if (!isTaken) return null;
    this.requests.push(request);
    return request;
  }

  get inFlight(): number {
    return this.appender.sent.length - this.#settled;
  }

  settle(): void {
    if (this.inFlight > 0) this.appender.sent[this.#settled++]!.resolve(null);
  }

  /** Requests of 100 ms, of which so many wait at once. The rate is the number of requests by 100. */
  async load(requests: number, atOnce: number): Promise<void> {
    for (let taken = 0; taken < requests; taken += atOnce) {
      for (let i = 0; i < atOnce; i++) assert.ok(this.take());
      if (taken + atOnce >= requests) this.clockMs = Math.ceil(this.clockMs / 100 + 0.01) * 100;
      await this.settleAll();
    }
  }

  async settleAll(): Promise<void> {
    for (;;) {
      await turns();
      if (this.inFlight === 0) return;
      while (this.inFlight > 0) this.settle();
    }
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Until nothing is due any more. A frame is held for ten short sleeps at most, of two turns each. */
async function turns(): Promise<void> {
  for (let i = 0; i < 24; i++) await turn();
}

/** After 10 requests per millisecond, of which 20 waited at once. */
async function atHighRate(t: TestContext, bounds: Partial<GroupCommitBounds> = {}) {
  const commit = new Held(t, bounds);
  await commit.load(20, 20);
  await commit.load(1000, 20);
  await commit.load(1000, 20);
  const sentBefore = commit.appender.sent.length;
  commit.sleepsMs.length = 0;
  return { commit, sent: () => commit.appender.sent.slice(sentBefore) };
}

/** Takes an order and lets its frame be sent. @returns for how long it was held, ms */
async function heldMs(commit: Held): Promise<number> {
  const startedMs = commit.clockMs;
  commit.take();
  await turns();
  return commit.clockMs - startedMs;
}

/** The last tenth is not worth a sleep. */
const inFull = (ms: number) => assert.ok(ms > 0.59 && ms < 0.701, `${ms} ms`);

it('a small frame is held while the thread sleeps, and orders that come meanwhile are sent with it', async (t) => {
  const { commit, sent } = await atHighRate(t);
  commit.onceAsleep(() => {
    for (let i = 0; i < 9; i++) commit.take();
  });
  const ms = await heldMs(commit);
  // Half as many as waited is 10.
  assert.deepEqual(
    sent().map(({ frame }) => frame.count),
    [10],
  );
  assert.equal(ms.toFixed(3), '0.200');
  await commit.settleAll();
  await commit.group.drained();
});

it('a thread with other work holds no frame', async (t) => {
  const { commit, sent } = await atHighRate(t, { threads: 0 });
  assert.equal(await heldMs(commit), 0);
  assert.equal(sent().length, 1);
  await commit.settleAll();
  await commit.group.drained();
});

it('a frame without another order is sent 0.7 ms after its first', async (t) => {
  const { commit, sent } = await atHighRate(t);
  inFull(await heldMs(commit));
  assert.equal(sent()[0]!.frame.count, 1);
  await commit.settleAll();
  await commit.group.drained();
});

it('an order that comes during the sleep can be withdrawn after it', async (t) => {
  const { commit, sent } = await atHighRate(t);
  commit.onceAsleep(() => {
    const second = commit.take()!;
    setImmediate(() => {
      second.isGone = true;
      commit.group.withdrawGone();
    });
  });
  const first = commit.take()!;
  await turns();
  assert.deepEqual(
    sent().map(({ text }) => text),
    [`${first.lines[0]}\n`],
  );
  await commit.settleAll();
  await commit.group.drained();
});

it('a held frame is dropped if its only client disconnects, and the next frame is held in full', async (t) => {
  const { commit, sent } = await atHighRate(t);
  const first = commit.take()!;
  commit.onceAsleep(() => {
    first.isGone = true;
    commit.group.withdrawGone();
  });
  await turns();
  assert.equal(first.answer, 'refused');
  assert.equal(sent().length, 0);
  inFull(await heldMs(commit));
  assert.equal(sent().length, 1);
  await commit.settleAll();
  await commit.group.drained();
});

it('while a frame is in flight the thread does not sleep, and a small frame waits only until it is as large', async (t) => {
  const { commit, sent } = await atHighRate(t);
  for (let i = 0; i < 3; i++) commit.take();
  await turns();
  assert.equal(sent().length, 1);
  commit.sleepsMs.length = 0;
  for (let i = 0; i < 2; i++) commit.take();
  await turns();
  assert.equal(sent().length, 1);
  commit.take();
  await turns();
  assert.equal(sent().length, 2);
  assert.equal(commit.sleepsMs.length, 0);
  await commit.settleAll();
  await commit.group.drained();
});

it('a frame that a batch fills is not held', async (t) => {
  const commit = new Held(t, { frameOrdersMax: 6 });
  for (let i = 0; i < 90; i++) {
    // The second frame is sent beside the first, so that twelve wait at once.
    for (let j = 0; j < 6; j++) commit.take();
    await turns();
    for (let j = 0; j < 6; j++) commit.take();
    await commit.settleAll();
  }
  commit.clockMs += 100;
  commit.take(2);
  await commit.settleAll();
  assert.ok(commit.sleepsMs.length > 0);
  commit.sleepsMs.length = 0;
  commit.take(6);
  await commit.settleAll();
  assert.equal(commit.sleepsMs.length, 0);
  await commit.group.drained();
});

it('a stop waits for a held frame', async (t) => {
  const { commit } = await atHighRate(t);
  const first = commit.take()!;
  const drained = commit.group.drained();
  await commit.settleAll();
  await drained;
  assert.notEqual(first.answer, '');
});

it('a batch counts as one request towards the rate', async (t) => {
  const commit = new Held(t);
  await commit.load(20, 20);
  for (let i = 0; i < 40; i++) {
    assert.ok(commit.take(50));
    await commit.settleAll();
  }
  commit.clockMs += 100;
  commit.take(50);
  await commit.settleAll();
  assert.equal(await heldMs(commit), 0);
  commit.settle();
  await commit.group.drained();
});

it('a frame is not held if half as many requests wait as ever did, and a batch is one', async (t) => {
  const { commit } = await atHighRate(t);
  for (let i = 0; i < 7; i++) commit.take();
  commit.take(2);
  assert.ok((await heldMs(commit)) > 0, '9 of 20 wait');
  await commit.settleAll();
  for (let i = 0; i < 8; i++) commit.take();
  commit.take(2);
  assert.equal(await heldMs(commit), 0, '10 of 20 wait');
  await commit.settleAll();
  await commit.group.drained();
});

it('a batch whose client is gone is one request less that waits', async (t) => {
  const { commit } = await atHighRate(t);
  const batches = [commit.take(3)!, commit.take(3)!];
  for (let i = 0; i < 7; i++) commit.take();
  batches[0]!.isGone = true;
  commit.group.withdrawGone();
  assert.ok((await heldMs(commit)) > 0, '9 of 20 wait');
  await commit.settleAll();
  assert.equal(batches[0]!.answer, 'refused');
  assert.notEqual(batches[1]!.answer, '');
  await commit.group.drained();
});

it('requests, disconnects, holds and commits in any sequence: no order is forgotten', async (t) => {
  t.diagnostic(`FOREBAY_SEED=${seed}`);
  let holds = 0;
  for (let run = 0; run < 60; run++) {
    const random = randomFrom(seed + run);
    const commit = new Held(t, {
      frameOrdersMax: [1, 3, 20, 100][random(4)]!,
      frameBytesMax: [100, 65_536][random(2)]!,
      framesInFlightMax: 1 + random(3),
      waitingOrdersMax: [8, 30, 200][random(3)]!,
    });
    const batchMax = 3;
    for (let step = 0; step < 3000; step++) {
      const roll = random(20);
      if (roll < 12) {
        const orders = random(8) === 0 ? 2 + random(batchMax - 1) : 1;
        commit.take(orders, random(4) === 0 ? `k${step}` : '');
        commit.clockMs += random(200) / 1000;
      } else if (roll < 13) {
        const open = commit.requests.filter(({ answer, isGone }) => answer === '' && !isGone);
        if (open.length > 0) open[random(open.length)]!.isGone = true;
        commit.group.withdrawGone();
      } else if (roll < 16) await turn();
      else if (roll < 18) commit.settle();
      else if (roll < 19) commit.onceAsleep(() => commit.take());
      else if (commit.inFlight === 0) {
        await turns();
        const isWaiting = commit.counts.get(GAUGE.waitingOrders) > 0;
        assert.equal(isWaiting, commit.inFlight > 0, 'a frame is held for ever');
      }
    }
    holds += commit.sleepsMs.length;
    await commit.settleAll();
    await commit.group.drained();
    assert.equal(commit.counts.get(GAUGE.waitingOrders), 0);
    const places = new Map<string, string>();
    for (const { frame, text } of commit.appender.sent) {
      for (const [i, line] of text.split('\n').slice(0, -1).entries()) {
        assert.ok(!places.has(line), `${line} is in two frames`);
        places.set(line, `${frame.id}-${i}`);
      }
    }
    let withdrawn = 0;
    for (const { lines, answer, isGone, key, place } of commit.requests) {
      const expected = places.get(lines[0]!) ?? 'refused';
      assert.equal(answer, expected);
      if (expected === 'refused') {
        assert.ok(isGone, `${lines} was never sent`);
        withdrawn += lines.length;
      } else if (key !== '') assert.equal(place, expected);
    }
    assert.equal(commit.counts.get(COUNTER.ordersWithdrawn), withdrawn);
  }
  assert.ok(holds > 0, 'no frame was held');
});
