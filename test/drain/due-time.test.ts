import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DueTime } from '../../src/drain/due-time.js';
import { SCHEDULED_PAUSE } from '../../src/drain/schedule/follow.js';
import { parseSchedule } from '../../src/drain/schedule/parse.js';
import { KeptControl } from '../../src/journal/kept-control.js';
import type { DrainSetting } from '../../src/model/drain-control.js';

const HOUR_MS = 3_600_000;
const START_MS = Date.parse('2026-11-28T00:00Z');
const NIGHT = '02:00-04:00 UTC 10/s\ndefault paused';

interface Given {
  readonly setting?: Partial<DrainSetting>;
  readonly schedule?: string;
  readonly throughputOfAll?: () => number | null;
  readonly drains?: boolean;
}

/** A drain whose counts a test sets. */
class Counted {
  readonly control: KeptControl;
  readonly due: DueTime;
  outage = '';
  backlog = 0;
  finished = 0;
  started = 0;
  #passedMs = 0;

  constructor({ setting = {}, schedule, throughputOfAll, drains = true }: Given = {}) {
    const first = { rate: 0, followsSchedule: schedule !== undefined, pause: null };
    this.control = new KeptControl({ ...first, by: 'test', atMs: START_MS, ...setting });
    this.due = new DueTime({
      control: this.control,
      schedule: schedule === undefined ? null : parseSchedule(schedule, 'test', 0),
      drains,
      finished: () => this.finished,
      started: () => this.started,
      backlog: () => this.backlog,
      throughputOfAll: throughputOfAll ?? null,
      outage: () => this.outage,
      nowMs: () => START_MS + this.#passedMs,
      tickMs: () => this.#passedMs,
    });
    this.due.close();
  }

  /** Five seconds pass, or `ms`, in which so many orders are finished, started and accepted per second. */
  run(finished: number, started = finished, accepted = 0, ms = 5000): void {
    for (let i = 0; i < ms / 250; i++) {
      this.#passedMs += 250;
      this.finished += finished / 4;
      this.started += started / 4;
      this.backlog += (accepted - finished) / 4;
      this.due.sample();
    }
  }

  /** Seconds until `orders` are done. */
  after(orders: number): number | null {
    const atMs = this.due.doneAtMs(orders);
    return atMs === null ? null : (atMs - START_MS - this.#passedMs) / 1000;
  }

  backlogGoneAfter(): number | null {
    const atMs = this.due.backlogGoneAtMs();
    return atMs === null ? null : (atMs - START_MS - this.#passedMs) / 1000;
  }
}

describe('when orders are due', () => {
  it('is unknown beyond 35 days: a date has an end too', () => {
    const dayOrders = 86_400;
    assert.equal(new Counted({ setting: { rate: 1 } }).after(34 * dayOrders), 34 * 86_400);
    assert.equal(new Counted({ setting: { rate: 1 } }).after(36 * dayOrders), null);
    const hardlyLess = new Counted({ setting: { rate: 100 } });
    hardlyLess.backlog = 1e6;
    hardlyLess.run(100, 100, 100 - 1e-10);
    assert.equal(hardlyLess.due.backlogGoneAtMs(), Number.POSITIVE_INFINITY);
  });

  it('follows from the rate limit at once', () => {
    assert.equal(new Counted({ setting: { rate: 50 } }).after(500), 10);
    assert.equal(new Counted({ setting: { rate: 50 } }).after(0), 0);
  });

  it('without a limit follows from what was done, and is unknown until then', () => {
    const drain = new Counted();
    drain.backlog = 10_000;
    assert.equal(drain.after(500), null);
    drain.run(200);
    assert.equal(drain.after(500), 2.5);
  });

  it('follows from the handler where it is slower than the limit', () => {
    const drain = new Counted({ setting: { rate: 50 } });
    drain.backlog = 10_000;
    drain.run(20);
    assert.equal(drain.after(500), 25);
  });

  it('does not take a drain without work for a slow one', () => {
    const drain = new Counted({ setting: { rate: 50 } });
    drain.run(2, 2, 2);
    assert.equal(drain.after(500), 10);
  });

  it('counts what retries take of the rate', () => {
    const drain = new Counted({ setting: { rate: 50 } });
    drain.backlog = 10_000;
    drain.run(40, 50);
    assert.equal(drain.after(400), 10);
  });

  it('follows a new rate at once', async () => {
    const drain = new Counted({ setting: { rate: 50 } });
    drain.backlog = 10_000;
    drain.run(50);
    await drain.control.change({ rate: 100, by: 'test' });
    assert.equal(drain.after(500), 5);
  });

  it('is unknown while an operator has paused, and while the handler is away', async () => {
    const drain = new Counted({ setting: { rate: 50 } });
    drain.outage = 'the database is away';
    assert.equal(drain.after(500), null);
    drain.outage = '';
    await drain.control.change({ pause: 'deploy', by: 'test' });
    assert.equal(drain.after(500), null);
  });

  it('counts what all instances do', () => {
    const drain = new Counted({ throughputOfAll: () => 300 });
    drain.backlog = 10_000;
    const [instance] = drain.control.instances();
    drain.control.instances = () => [instance!, { ...instance!, id: 'other', isSelf: false }];
    drain.run(100);
    assert.equal(drain.after(600), 2);
  });

  it('follows the rate while this process uses its share, whatever the finished frames of all tell', () => {
    const drain = new Counted({ setting: { rate: 60 }, throughputOfAll: () => 40 });
    drain.backlog = 10_000;
    const [instance] = drain.control.instances();
    const other = { ...instance!, id: 'other', isSelf: false, share: 30 };
    drain.control.instances = () => [{ ...instance!, share: 30 }, other];
    drain.run(30);
    assert.equal(drain.after(600), 10);
    drain.run(10);
    assert.equal(drain.after(600), 15);
  });

  it('is known while no frame of the new backlog is complete', () => {
    const drain = new Counted({ setting: { rate: 60 }, throughputOfAll: () => 0 });
    drain.backlog = 10_000;
    const [instance] = drain.control.instances();
    const other = { ...instance!, id: 'other', isSelf: false, share: 30 };
    drain.control.instances = () => [{ ...instance!, share: 30 }, other];
    drain.run(0);
    drain.run(30, 30, 0, 2000);
    assert.equal(drain.after(600), 10);
    drain.run(10);
    assert.equal(drain.after(600), 60);
  });
});

describe('when orders are due in a process that does not drain', () => {
  it('is unknown with a journal that no other process drains', () => {
    assert.equal(new Counted({ setting: { rate: 50 }, drains: false }).after(500), null);
  });

  it('follows from the rate, or from what the others do', () => {
    let all: number | null = null;
    const given = { drains: false, throughputOfAll: () => all };
    const drain = new Counted({ ...given, setting: { rate: 50 } });
    drain.backlog = 10_000;
    drain.run(0);
    assert.equal(drain.after(500), 10);
    all = 25;
    assert.equal(drain.after(500), 20);
    all = 0;
    assert.equal(drain.after(500), null);
  });
});

describe('when orders are due by the schedule', () => {
  it('waits for the next window', () => {
    const setting = { pause: SCHEDULED_PAUSE };
    const drain = new Counted({ setting, schedule: NIGHT });
    assert.equal(drain.after(600), 2 * 3600 + 60);
    // Two hours at 10/s, then the rest in the next night.
    assert.equal(drain.after(72_000 + 600), 26 * 3600 + 60);
  });

  it('is unknown while an operator has paused, whatever the schedule says', () => {
    const drain = new Counted({ setting: { pause: 'deploy' }, schedule: NIGHT });
    assert.equal(drain.after(600), null);
  });

  it('takes the rate that was set by hand', () => {
    const setting = { rate: 5, followsSchedule: false };
    assert.equal(new Counted({ setting, schedule: NIGHT }).after(600), 120);
  });

  it('says when the window in force ends', () => {
    const openEndsMs = (schedule: string, setting = {}) =>
      new Counted({ schedule, setting }).due.windowEndsAtMs();
    assert.equal(openEndsMs('23:00-04:00 UTC 10/s'), START_MS + 4 * HOUR_MS);
    assert.equal(openEndsMs('01:00-04:00 UTC 10/s'), Number.POSITIVE_INFINITY);
    assert.equal(openEndsMs('23:00-04:00 UTC paused'), Number.POSITIVE_INFINITY);
    const byHand = { rate: 5, followsSchedule: false };
    assert.equal(openEndsMs('23:00-04:00 UTC 10/s', byHand), Number.POSITIVE_INFINITY);
  });
});

describe('when the backlog is gone', () => {
  it('counts the orders that arrive meanwhile', () => {
    const drain = new Counted({ setting: { rate: 50 } });
    drain.backlog = 1000;
    drain.run(50, 50, 30);
    assert.equal(drain.backlog, 900);
    assert.equal(Math.round(drain.backlogGoneAfter()!), 45);
  });

  it('is never if more arrive than are done, and now if there is none', () => {
    const drain = new Counted({ setting: { rate: 50 } });
    assert.equal(drain.backlogGoneAfter(), 0);
    drain.backlog = 1000;
    drain.run(50, 50, 60);
    assert.equal(drain.backlogGoneAfter(), Number.POSITIVE_INFINITY);
  });
});
