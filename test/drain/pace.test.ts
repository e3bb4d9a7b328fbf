import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../drills/ledger/random.js';
import { BatchSize } from '../../src/drain/batch-size.js';
import { burstOf, Pace } from '../../src/drain/pace.js';
import { startCall } from '../../src/drain/start-call.js';
import { KeptControl } from '../../src/journal/kept-control.js';
import { StartGate } from '../../src/memory/start-gate.js';
import { StartedCalls } from '../../src/memory/started-calls.js';
import { backoffMs } from '../../src/model/backoff.js';
import { NO_DEADLINE } from '../../src/model/drain-control.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);
const MS = 1e6;
const SECOND = 1e9;

interface Started {
  readonly atNs: number;
  readonly orders: number;
}

/** A pace on a clock that the test moves, and threads that begin calls when the test says so. */
class World {
  nowNs = 1e9;
  readonly control: KeptControl;
  readonly gate = new StartGate();
  readonly calls = new StartedCalls();
  readonly pace: Pace;
  readonly started: Started[] = [];
  counted = 0;

  constructor(rate: number, canWait = true) {
    this.control = new KeptControl({
      rate,
      followsSchedule: false,
      pause: null,
      by: 'test',
      atMs: 0,
    });
    this.gate.extend(NO_DEADLINE);
    const nowNs = () => this.nowNs;
    this.pace = new Pace({
      allowance: this.control,
      gate: this.gate,
      startedAt: (call) => this.calls.startedAtNs(call),
      nowNs,
      nowMs: () => 0,
      canWait,
      onTaken: (orders) => {
        this.counted += orders;
      },
    });
    this.control.onChange(() => this.pace.allowanceChanged());
  }

  /** Takes up to `orders`. What is returned is to be called twice: when the thread has the call, and at its end. */
  send(orders: number): { readonly orders: number; begin(): boolean; end(): void } | null {
    const grant = this.pace.take(orders);
    if (grant === null) return null;
    const call = this.calls.begin();
    grant.sent(call);
    let isBegun = false;
    return {
      orders: grant.orders,
      begin: () => {
        const parts = {
          gate: this.gate,
          calls: this.calls,
          nowNs: () => this.nowNs,
          nowMs: () => 0,
        };
        isBegun = startCall(parts, call, grant.epoch);
        if (isBegun) this.started.push({ atNs: this.nowNs, orders: grant.orders });
        return isBegun;
      },
      end: () => {
        if (isBegun) grant.ended(this.calls.startedAtNs(call));
        else grant.giveBack();
        this.calls.end(call);
      },
    };
  }

  /** Sends all that may start, and each call begins and ends at once. */
  run(): number {
    let orders = 0;
    for (let sent = this.send(1e6); sent !== null; sent = this.send(1e6)) {
      sent.begin();
      sent.end();
      orders += sent.orders;
    }
    return orders;
  }

  inNextSecond(): number {
    let orders = 0;
    for (let ms = 0; ms < 1000; ms++) {
      orders += this.run();
      this.nowNs += MS;
    }
    return orders;
  }

  /** The most orders that started in a second that began at `fromNs` or later. */
  peak(fromNs = 0): number {
    const starts = this.started.filter(({ atNs }) => atNs >= fromNs);
    starts.sort((a, b) => a.atNs - b.atNs);
    let [first, within, most] = [0, 0, 0];
    for (const { atNs, orders } of starts) {
      within += orders;
      while (atNs - starts[first]!.atNs >= SECOND) within -= starts[first++]!.orders;
      most = Math.max(most, within);
    }
    return most;
  }
}

describe('the pace', () => {
  for (const rate of [1, 7, 20, 60, 61, 1000, 1009]) {
    it(`lets at most ${rate} orders start in any second, evenly, and not much less`, () => {
      const world = new World(rate);
      const firstTenthNs = world.nowNs + 100 * MS;
      const seconds = 4;
      let orders = 0;
      for (let i = 0; i < seconds; i++) orders += world.inNextSecond();
      assert.equal(world.peak(), rate);
      const inFirstTenth = world.started
        .filter(({ atNs }) => atNs < firstTenthNs)
        .reduce((sum, started) => sum + started.orders, 0);
      const burst = burstOf(rate);
      assert.ok(inFirstTenth <= Math.ceil(0.1 * rate) + burst, `${inFirstTenth} in 100 ms`);
      // A slot is free again after 1.01 s, seen by a clock that moves in whole milliseconds.
      assert.ok(orders >= seconds * rate * 0.98 - burst, `${orders} in ${seconds} s`);
      assert.equal(world.counted, orders);
    });
  }

  it('follows each change of the rate at once', async () => {
    const world = new World(1000);
    const change = (change: object) => world.control.change({ ...change, by: 'test' });
    assert.ok(world.inNextSecond() >= 980);
    await change({ rate: 100 });
    // Within the second before a moment of this one, more than 100 started, until the last ms of it.
    assert.ok(world.inNextSecond() <= 100);
    assert.ok(world.inNextSecond() <= 100);
    await change({ rate: 400 });
    assert.ok(world.inNextSecond() > 100);
    const steady = world.inNextSecond();
    assert.ok(steady <= 400 && steady >= 380, `${steady}`);
    await change({ pause: 'deploy' });
    assert.equal(world.inNextSecond(), 0);
    await change({ pause: null, rate: 0 });
    assert.equal(world.pace.waitMs(1e6), 0);
    assert.equal(world.send(1e6)?.orders, 1e6);
    await change({ rate: 10 });
    assert.ok(world.inNextSecond() <= 10);
  });

  it('says how long to wait, and can then grant orders', () => {
    const world = new World(60);
    for (let i = 0; i < 200; i++) {
      assert.ok(world.run() > 0);
      assert.equal(world.pace.take(1000), null);
      world.nowNs += Math.ceil(world.pace.waitMs(1000) * MS);
    }
  });

  it('makes up for a timer that is late', () => {
    const world = new World(1000);
    let orders = 0;
    for (let i = 0; i < 50; i++) {
      orders += world.run();
      // Bursts are due every 50 ms.
      world.nowNs += 80 * MS;
    }
    assert.ok(orders >= 0.95 * 4000, `${orders}`);
  });

  it('counts the second from the start of the call, however late that is', () => {
    const world = new World(10);
    const late = Array.from({ length: 10 }, () => {
      world.nowNs += 200 * MS;
      return world.send(1)!;
    });
    assert.ok(late.every((sent) => sent !== null));
    world.nowNs += 5 * SECOND;
    assert.equal(world.run(), 0, 'the calls may still start');
    for (const sent of late) sent.begin();
    world.nowNs += SECOND;
    assert.equal(world.run(), 0, 'they started a second ago');
    world.nowNs += 0.02 * SECOND;
    assert.ok(world.run() > 0, 'although the calls have not ended');
    assert.ok(world.peak() <= 10);
  });

  it('lets nothing start that was granted before the rate fell or the drain was paused', async () => {
    for (const change of [{ rate: 10 }, { pause: 'deploy' }]) {
      const world = new World(0);
      const sent = world.send(1000)!;
      await world.control.change({ ...change, by: 'test' });
      assert.equal(sent.begin(), false);
      sent.end();
      assert.equal(world.counted, 1000);
      await world.control.change({ rate: 0, pause: null, by: 'test' });
      // These are counted already.
      assert.equal(world.send(1000)?.begin(), true);
      assert.equal(world.counted, 1000);
    }
  });

  it('lets nothing start after the deadline of the permission, by either clock', () => {
    const world = new World(0);
    for (const deadline of [
      { ...NO_DEADLINE, monotonicNs: world.nowNs },
      { ...NO_DEADLINE, epochMs: 0 },
    ]) {
      world.gate.extend(NO_DEADLINE);
      const sent = world.send(1)!;
      world.gate.extend(deadline);
      assert.equal(sent.begin(), false);
      sent.end();
      assert.equal(world.send(1), null);
      assert.ok(world.pace.waitMs(1) > 0);
    }
  });

  it(`keeps the rate with late, long, lost and interrupted calls and changes; seed ${seed}`, async () => {
    const random = new Random(seed);
    for (let round = 0; round < 20; round++) {
      const rate = 1 + random.below(200);
      const world = new World(rate);
      const waiting: ReturnType<World['send']>[] = [];
      const running: ReturnType<World['send']>[] = [];
      for (let step = 0; step < 5000; step++) {
        world.nowNs += random.below(3 * MS);
        if (random.below(2000) === 0) world.nowNs += random.below(3 * SECOND);
        const sent = world.send(1 + random.below(50));
        if (sent !== null) waiting.push(sent);
        while (waiting.length > 0 && random.below(3) > 0) {
          const next = waiting.splice(random.below(waiting.length), 1)[0]!;
          // A call whose thread died before it began.
          if (random.below(20) > 0) next.begin();
          running.push(next);
        }
        while (running.length > 0 && random.below(3) === 0) {
          running.splice(random.below(running.length), 1)[0]!.end();
        }
      }
      assert.ok(world.peak() <= rate, `${world.peak()} of ${rate}`);
    }
  });
});

describe('who waits for the pace', () => {
  it('is served in order, before those who only ask', async () => {
    const world = new World(20);
    for (let i = 0; i < 20; i++) {
      world.run();
      world.nowNs += 50 * MS;
    }
    const served: number[] = [];
    for (const name of [1, 2, 3]) void world.pace.admit(1).then(() => served.push(name));
    assert.equal(world.pace.take(1), null);
    world.nowNs += 3 * SECOND;
    assert.equal(world.pace.take(1), null, 'others wait');
    while (served.length < 3) {
      await sleep(5);
      world.nowNs += 100 * MS;
    }
    assert.deepEqual(served, [1, 2, 3]);
    world.pace.stop();
  });

  it('gets nothing after a stop, or if orders are refused while the drain is paused', async () => {
    const world = new World(1, false);
    assert.ok(world.pace.take(1));
    const waits = world.pace.admit(1);
    await world.control.change({ pause: 'deploy', by: 'test' });
    assert.equal(await waits, null);
    assert.equal(await world.pace.admit(1), null);
    assert.equal(world.pace.refuses, true);
    const queued = new World(1);
    assert.ok(queued.pace.take(1));
    await queued.control.change({ pause: 'deploy', by: 'test' });
    const stopped = queued.pace.admit(1);
    queued.pace.stop();
    assert.equal(await stopped, null);
  });
});

describe('the size of a batch', () => {
  it('grows to what fits the target time, by doubling at most', () => {
    const size = new BatchSize(500, 200);
    const seen = [size.orders];
    for (let i = 0; i < 10; i++) {
      size.record(size.orders, size.orders * 1);
      seen.push(size.orders);
    }
    assert.deepEqual(seen.slice(0, 6), [8, 16, 32, 64, 128, 200]);
    assert.equal(size.orders, 200);
  });

  it('shrinks to one order when one takes longer than the target', () => {
    const size = new BatchSize(500, 200);
    for (let i = 0; i < 10; i++) size.record(size.orders, size.orders * 1000);
    assert.equal(size.orders, 1);
  });

  it('never passes its bound, however quick the handler', () => {
    const size = new BatchSize(500, 200);
    for (let i = 0; i < 20; i++) size.record(size.orders, 0);
    assert.equal(size.orders, 500);
  });
});

describe('the wait before a retry', () => {
  it('doubles up to its bound, at least half of it fixed', () => {
    const bounds = { retryMsMin: 100, retryMsMax: 1000 };
    const least = [1, 2, 3, 4, 5, 60].map((attempt) => backoffMs(attempt, bounds, () => 0));
    const most = [1, 2, 3, 4, 5, 60].map((attempt) => backoffMs(attempt, bounds, () => 1));
    assert.deepEqual(least, [50, 100, 200, 400, 500, 500]);
    assert.deepEqual(most, [100, 200, 400, 800, 1000, 1000]);
  });
});
