import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupCommit, type GroupCommitBounds } from '../../src/commit/group-commit.js';
import { COUNTER, createCounts, GAUGE, ThreadCounts } from '../../src/metrics/count.js';
import { CommitAmbiguous, CommitRefused } from '../../src/model/journal.js';
import type { KeyedWaiter } from '../../src/model/stages.js';
import { orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';
import { randomFrom } from '../memory/random.js';
import { eventually, orderBody } from '../support/orders.js';
import { ManualAppender } from './manual-appender.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

/** One order and what its waiter was told. */
class Order implements KeyedWaiter {
  isGone = false;
  readonly key: string;
  readonly digest = '0123456789abcdef';
  readonly body: string;
  answer = '';
  /** The last place, with a key. */
  place = '';

  constructor(name: string, key: string) {
    this.key = key;
    this.body = orderBody(name);
  }

  placed(frameId: string, index: number): void {
    assert.equal(this.answer, '', 'placed after its answer');
    this.place = `${frameId}-${index}`;
  }
  accepted(frameId: string, index: number): void {
    this.#once(`accepted ${frameId}-${index}`);
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
    assert.equal(this.answer, '', `${this.body} was answered twice`);
    this.answer = answer;
  }
}

/** A group commit, and the orders that it took. */
class Committed {
  readonly appender = new ManualAppender();
  readonly counts = new ThreadCounts(createCounts(1), 0);
  readonly group: GroupCommit;
  readonly orders: Order[] = [];
  readonly #validator = openValidator(orderContract);

  constructor(bounds: Partial<GroupCommitBounds> = {}) {
    const all = {
      frameOrdersMax: 4,
      frameBytesMax: 4096,
      framesInFlightMax: 2,
      waitingOrdersMax: 20,
      commitMsMax: 60_000,
      threads: 1,
      ...bounds,
    };
    this.group = new GroupCommit(this.appender, all, this.counts, () => {});
  }

  /** Null if it was refused. @param key empty for none */
  take(name: string, key = ''): Order | null {
    const order = new Order(name, key);
    const bytes = new TextEncoder().encode(order.body);
    assert.equal(this.#validator.validate(bytes, 0, bytes.length), true);
    const isTaken =
      key === ''
        ? this.group.take(this.#validator, order)
        : this.group.takeKeyed(this.#validator, order);
    if (!isTaken) return null;
    this.orders.push(order);
    return order;
  }

  leave(order: Order): void {
    order.isGone = true;
    this.group.withdrawGone();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Until nothing is due any more: a frame can be sent a turn after the one that filled it. */
async function turns(): Promise<void> {
  for (let i = 0; i < 4; i++) await turn();
}

describe('a client that disconnects before its frame is sent', () => {
  it('leaves no order in the frame, and the orders behind it get the places of the frame that is sent', async () => {
    const committed = new Committed();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => committed.take(name)!);
    committed.leave(a!);
    await turns();
    const { frame, text, resolve } = committed.appender.sent[0]!;
    assert.equal(text, `${b!.body}\n${c!.body}\n`);
    assert.equal(frame.count, 2);
    resolve(null);
    await turn();
    assert.deepEqual(
      [a, b, c].map((order) => order!.answer),
      ['refused', `accepted ${frame.id}-0`, `accepted ${frame.id}-1`],
    );
    assert.equal(committed.counts.get(COUNTER.ordersWithdrawn), 1);
    assert.equal(committed.counts.get(COUNTER.ordersAccepted), 2);
  });

  it('lets no frame be sent if it was alone', async () => {
    const committed = new Committed();
    committed.leave(committed.take('a')!);
    await turns();
    assert.equal(committed.appender.sent.length, 0);
    assert.equal(committed.counts.get(GAUGE.waitingOrders), 0);
    await committed.group.drained();
  });

  it('keeps its order if the frame was sent before', async () => {
    const committed = new Committed();
    const a = committed.take('a')!;
    await turns();
    committed.leave(a);
    await turns();
    committed.appender.sent[0]!.resolve(null);
    await turn();
    assert.match(a.answer, /^accepted/);
    assert.equal(committed.counts.get(COUNTER.ordersWithdrawn), 0);
  });

  it('leaves a queued frame too, and the frame is dropped if it is empty then', async () => {
    const committed = new Committed({ framesInFlightMax: 1, frameOrdersMax: 2 });
    committed.take('sent');
    await turns();
    const queued = ['a', 'b', 'c', 'd', 'e'].map((name) => committed.take(name)!);
    for (const order of queued.slice(0, 3)) committed.leave(order);
    await turns();
    for (let i = 0; i < 3; i++) {
      committed.appender.sent[i]!.resolve(null);
      await turns();
    }
    const texts = committed.appender.sent.map(({ text }) => text);
    assert.deepEqual(texts.slice(1), [`${queued[3]!.body}\n`, `${queued[4]!.body}\n`]);
  });

  it('lets a stop end that waited for its order only', async () => {
    const committed = new Committed({ framesInFlightMax: 1 });
    committed.take('sent');
    await turns();
    const waiting = committed.take('waiting')!;
    const drained = committed.group.drained();
    committed.appender.sent[0]!.resolve(null);
    committed.leave(waiting);
    await drained;
    assert.equal(waiting.answer, 'refused');
  });

  it('is not called again when the frame that it left expires', async () => {
    const committed = new Committed({ framesInFlightMax: 1, commitMsMax: 1000 });
    committed.take('sent');
    await turns();
    const [gone, stuck] = ['gone', 'stuck'].map((name) => committed.take(name)!);
    committed.leave(gone!);
    await eventually('the frame expires', () => stuck!.answer !== '');
    assert.deepEqual([gone!.answer, stuck!.answer], ['refused', 'refused']);
  });

  it('frees room for a waiting order', async () => {
    const committed = new Committed({ waitingOrdersMax: 2 });
    const a = committed.take('a')!;
    committed.take('b');
    assert.equal(committed.take('c'), null);
    committed.leave(a);
    await turns();
    assert.notEqual(committed.take('c'), null);
  });

  it('gives keys the positions of the orders in the frame that is sent', async () => {
    const committed = new Committed({ frameOrdersMax: 10 });
    const orders = ['a', 'b', 'c', 'd', 'e'].map(
      (name, i) => committed.take(name, i === 2 ? '' : `key-${name}`)!,
    );
    committed.leave(orders[0]!);
    committed.leave(orders[3]!);
    await turns();
    const { frame } = committed.appender.sent[0]!;
    assert.deepEqual(
      frame.keys.map(({ position, key }) => `${position} ${key}`),
      ['0 key-b', '2 key-e'],
    );
    assert.equal(orders[1]!.place, `${frame.id}-0`);
    assert.equal(orders[4]!.place, `${frame.id}-2`);
  });
});

/** One random run. Checks each frame when it is sent, and each answer at the end. */
class RandomRun {
  readonly #random: (n: number) => number;
  readonly #committed: Committed;
  readonly #bounds: GroupCommitBounds;
  #framesSeen = 0;
  /** Indexes of frames that have no outcome yet. */
  readonly #open: number[] = [];
  readonly #outcomes = new Map<Order, string>();

  constructor(seed: number) {
    this.#random = randomFrom(seed);
    const line = orderBody('user-00000').length + 1;
    this.#bounds = {
      frameOrdersMax: 1 + this.#random(8),
      frameBytesMax: line * (1 + this.#random(10)) + 100,
      framesInFlightMax: 1 + this.#random(3),
      waitingOrdersMax: 1 + this.#random(40),
      commitMsMax: 60_000,
      threads: 1,
    };
    this.#committed = new Committed(this.#bounds);
  }

  async play(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      const roll = this.#random(10);
      if (roll < 5) this.#take(step);
      else if (roll < 7) this.#leave();
      else if (roll < 9) await turn();
      else this.#settle();
      this.#checkSent();
    }
    await this.#settleAll();
    await this.#committed.group.drained();
    this.#checkAnswers();
  }

  #take(step: number): void {
    const { group: _, orders, counts: __ } = this.#committed;
    const waiting = orders.filter(({ answer }) => answer === '').length;
    const name = `user-${String(step).padStart(5, '0')}`;
    const order = this.#committed.take(name, this.#random(3) === 0 ? `key-${step}` : '');
    assert.equal(order === null, waiting >= this.#bounds.waitingOrdersMax, 'room for an order');
  }

  #leave(): void {
    const waiting = this.#committed.orders.filter(({ answer, isGone }) => answer === '' && !isGone);
    if (waiting.length > 0) this.#committed.leave(waiting[this.#random(waiting.length)]!);
  }

  #settle(): void {
    if (this.#open.length === 0) return;
    const [index] = this.#open.splice(this.#random(this.#open.length), 1);
    const { resolve, reject, frame, text } = this.#committed.appender.sent[index!]!;
    const roll = this.#random(4);
    for (const [position, line] of text.split('\n').slice(0, -1).entries()) {
      const accepted = `accepted ${frame.id}-${position}`;
      this.#outcomes.set(this.#orderOf(line), [accepted, accepted, 'refused', 'ambiguous'][roll]!);
    }
    if (roll < 2) resolve(null);
    else reject(roll === 2 ? new CommitRefused('full') : new CommitAmbiguous('no ack'));
  }

  async #settleAll(): Promise<void> {
    for (;;) {
      await turns();
      this.#checkSent();
      if (this.#open.length === 0) return;
      while (this.#open.length > 0) this.#settle();
    }
  }

  /** An order is in a frame if and only if its client was there when the frame was sent, and in one frame only. */
  #checkSent(): void {
    const { appender } = this.#committed;
    for (; this.#framesSeen < appender.sent.length; this.#framesSeen++) {
      const { frame, text } = appender.sent[this.#framesSeen]!;
      this.#open.push(this.#framesSeen);
      const lines = text.split('\n').slice(0, -1);
      assert.equal(frame.count, lines.length);
      assert.ok(lines.length > 0 && lines.length <= this.#bounds.frameOrdersMax);
      const keyed: unknown[] = [];
      for (const [position, line] of lines.entries()) {
        const order = this.#orderOf(line);
        assert.equal(order.answer, '', `${line} was answered before it was sent`);
        assert.ok(!this.#outcomes.has(order), `${line} is in two frames`);
        this.#outcomes.set(order, 'sent');
        if (order.key === '') continue;
        assert.equal(order.place, `${frame.id}-${position}`);
        keyed.push({ position, key: order.key, digest: order.digest });
      }
      assert.deepEqual(frame.keys, keyed);
    }
    assert.ok(this.#open.length <= this.#bounds.framesInFlightMax);
  }

  /** Exactly the orders whose client left before the frame was sent were withdrawn. */
  #checkAnswers(): void {
    const { orders, counts } = this.#committed;
    let withdrawn = 0;
    for (const order of orders) {
      const outcome = this.#outcomes.get(order) ?? 'refused';
      if (!this.#outcomes.has(order)) {
        assert.ok(order.isGone, `${order.body} was never sent`);
        withdrawn++;
      }
      assert.equal(order.answer, outcome);
    }
    assert.equal(counts.get(COUNTER.ordersWithdrawn), withdrawn);
    assert.equal(counts.get(GAUGE.waitingOrders), 0);
  }

  #orderOf(line: string): Order {
    const order = this.#committed.orders.find(({ body }) => body === line);
    assert.ok(order, `${line} was never taken`);
    return order;
  }
}

it('orders, disconnects and commits in any sequence agree with a simple model', async (t) => {
  t.diagnostic(`FOREBAY_SEED=${seed}`);
  for (let run = 0; run < 150; run++) {
    await new RandomRun(seed + run).play(200);
  }
});
