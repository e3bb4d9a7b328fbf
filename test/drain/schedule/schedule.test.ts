import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSchedule } from '../../../src/drain/schedule/parse.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const parse = (...lines: string[]) => parseSchedule(lines.join('\n'), 'test', 0);

/** The slots between two instants, each as `from rate`. */
function slotsOf(lines: readonly string[], from: string, to: string): string[] {
  const slots = parse(...lines).slots(Date.parse(from), Date.parse(to));
  return slots.map(({ fromMs, rate }) => {
    return `${new Date(fromMs).toISOString().replace(':00.000Z', 'Z')} ${rate}`;
  });
}

describe('the schedule of the drain', () => {
  it('has the rate of the window in force, else the default', () => {
    const schedule = parse('02:00-06:00 Europe/Berlin 200/s', 'default 20/s');
    const rateAt = (time: string) => schedule.rateAt(Date.parse(time));
    assert.equal(rateAt('2026-11-28T00:59:59.999Z'), 20);
    assert.equal(rateAt('2026-11-28T01:00:00Z'), 200);
    assert.equal(rateAt('2026-11-28T04:59:59.999Z'), 200);
    assert.equal(rateAt('2026-11-28T05:00:00Z'), 20);
  });

  it('counts a window over midnight to the day on which it begins', () => {
    const lines = ['Fri 22:00-04:00 UTC 9/s', 'default 1/s'];
    assert.deepEqual(slotsOf(lines, '2026-11-26T00:00Z', '2026-12-01T00:00Z'), [
      '2026-11-26T00:00Z 1',
      '2026-11-27T22:00Z 9',
      '2026-11-28T04:00Z 1',
    ]);
  });

  it('has the days of the week of the zone, not of UTC', () => {
    const lines = ['Mon 00:00-24:00 Pacific/Auckland 9/s', 'default 1/s'];
    assert.deepEqual(slotsOf(lines, '2026-11-28T00:00Z', '2026-12-02T00:00Z'), [
      '2026-11-28T00:00Z 1',
      '2026-11-29T11:00Z 9',
      '2026-11-30T11:00Z 1',
    ]);
  });

  it('lets the first line win where windows overlap', () => {
    const lines = ['03:00-04:00 UTC paused', '02:00-06:00 UTC 9/s', 'default 1/s'];
    assert.deepEqual(slotsOf(lines, '2026-11-28T00:00Z', '2026-11-28T12:00Z'), [
      '2026-11-28T00:00Z 1',
      '2026-11-28T02:00Z 9',
      '2026-11-28T03:00Z paused',
      '2026-11-28T04:00Z 9',
      '2026-11-28T06:00Z 1',
    ]);
  });

  it('takes windows of several zones', () => {
    const lines = [
      '08:00-09:00 Asia/Kolkata 5/s',
      '08:00-09:00 America/New_York 7/s',
      'default 1/s',
    ];
    assert.deepEqual(slotsOf(lines, '2026-11-28T00:00Z', '2026-11-28T20:00Z'), [
      '2026-11-28T00:00Z 1',
      '2026-11-28T02:30Z 5',
      '2026-11-28T03:30Z 1',
      '2026-11-28T13:00Z 7',
      '2026-11-28T14:00Z 1',
    ]);
  });

  it('keeps two windows apart that follow each other at the same rate', () => {
    const slots = parse('02:00-04:00 UTC 9/s', '04:00-06:00 UTC 9/s', 'default 9/s').slots(
      Date.parse('2026-11-28T03:00Z'),
      Date.parse('2026-11-28T07:00Z'),
    );
    assert.deepEqual(
      slots.map(({ window }) => window?.line ?? null),
      [1, 2, null],
    );
  });
});

describe('the schedule where clocks change', () => {
  it('Berlin goes forward: the hour that does not exist is skipped', () => {
    const day = ['2026-03-28T12:00Z', '2026-03-29T12:00Z'] as const;
    assert.deepEqual(slotsOf(['02:00-06:00 Europe/Berlin 9/s', 'default 1/s'], ...day), [
      '2026-03-28T12:00Z 1',
      '2026-03-29T01:00Z 9',
      '2026-03-29T04:00Z 1',
    ]);
    // A window that begins in the gap begins after it, and one that lies in it is not in force.
    assert.deepEqual(slotsOf(['02:30-04:00 Europe/Berlin 9/s', 'default 1/s'], ...day), [
      '2026-03-28T12:00Z 1',
      '2026-03-29T01:00Z 9',
      '2026-03-29T02:00Z 1',
    ]);
    assert.deepEqual(slotsOf(['02:10-02:50 Europe/Berlin 9/s', 'default 1/s'], ...day), [
      '2026-03-28T12:00Z 1',
    ]);
    assert.deepEqual(slotsOf(['01:00-02:30 Europe/Berlin 9/s', 'default 1/s'], ...day), [
      '2026-03-28T12:00Z 1',
      '2026-03-29T00:00Z 9',
      '2026-03-29T01:00Z 1',
    ]);
  });

  it('Berlin goes back: the hour that exists twice is in force twice', () => {
    const day = ['2026-10-24T12:00Z', '2026-10-25T12:00Z'] as const;
    assert.deepEqual(slotsOf(['02:00-03:00 Europe/Berlin 9/s', 'default 1/s'], ...day), [
      '2026-10-24T12:00Z 1',
      '2026-10-25T00:00Z 9',
      '2026-10-25T02:00Z 1',
    ]);
    assert.deepEqual(slotsOf(['02:30-06:00 Europe/Berlin 9/s', 'default 1/s'], ...day), [
      '2026-10-24T12:00Z 1',
      '2026-10-25T00:30Z 9',
      '2026-10-25T01:00Z 1',
      '2026-10-25T01:30Z 9',
      '2026-10-25T05:00Z 1',
    ]);
  });

  it('New York', () => {
    const lines = ['02:00-06:00 America/New_York 9/s', 'default 1/s'];
    assert.deepEqual(slotsOf(lines, '2026-03-08T00:00Z', '2026-03-09T12:00Z'), [
      '2026-03-08T00:00Z 1',
      '2026-03-08T07:00Z 9',
      '2026-03-08T10:00Z 1',
      '2026-03-09T06:00Z 9',
      '2026-03-09T10:00Z 1',
    ]);
    // From 02:00 to 01:00: the window comes after both.
    assert.deepEqual(slotsOf(lines, '2026-11-01T00:00Z', '2026-11-01T12:00Z'), [
      '2026-11-01T00:00Z 1',
      '2026-11-01T07:00Z 9',
      '2026-11-01T11:00Z 1',
    ]);
  });

  it('Lord Howe Island, whose clocks change by half an hour', () => {
    const lines = ['01:45-02:15 Australia/Lord_Howe 9/s', 'default 1/s'];
    // 2026-04-05, from 02:00 (+11:00) to 01:30 (+10:30).
    assert.deepEqual(slotsOf(lines, '2026-04-04T12:00Z', '2026-04-04T18:00Z'), [
      '2026-04-04T12:00Z 1',
      '2026-04-04T14:45Z 9',
      '2026-04-04T15:00Z 1',
      '2026-04-04T15:15Z 9',
      '2026-04-04T15:45Z 1',
    ]);
    // 2026-10-04, from 02:00 (+10:30) to 02:30 (+11:00).
    assert.deepEqual(slotsOf(lines, '2026-10-03T12:00Z', '2026-10-03T18:00Z'), [
      '2026-10-03T12:00Z 1',
      '2026-10-03T15:15Z 9',
      '2026-10-03T15:30Z 1',
    ]);
  });

  it('a zone without daylight saving has the same times all year', () => {
    for (const month of ['01', '03', '04', '07', '10', '11']) {
      const lines = ['02:00-06:00 Asia/Tokyo 9/s', 'default 1/s'];
      assert.deepEqual(slotsOf(lines, `2026-${month}-01T12:00Z`, `2026-${month}-02T00:00Z`), [
        `2026-${month}-01T12:00Z 1`,
        `2026-${month}-01T17:00Z 9`,
        `2026-${month}-01T21:00Z 1`,
      ]);
    }
  });

  it('a day on which the clocks change is 23 and 25 hours long', () => {
    const whole = parse('Sun 00:00-24:00 Europe/Berlin 9/s', 'default 1/s');
    const hoursOn = (day: string) => {
      const fromMs = Date.parse(day) - DAY_MS;
      const [, sunday] = whole.slots(fromMs, fromMs + 3 * DAY_MS);
      return (sunday!.toMs - sunday!.fromMs) / HOUR_MS;
    };
    assert.equal(hoursOn('2026-03-29'), 23);
    assert.equal(hoursOn('2026-10-25'), 25);
    assert.equal(hoursOn('2026-11-01'), 24);
  });

  it('slots agree with the rate of each minute, over a year in zones of all kinds', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Africa/Casablanca',
      'America/St_Johns',
      'Pacific/Chatham',
      'UTC',
    ];
    for (const zone of zones) {
      const schedule = parse(
        `Sat-Sun 01:20-02:40 ${zone} 7/s`,
        `22:00-03:10 ${zone} 9/s`,
        `Mon-Fri 12:00-13:00 UTC 5/s`,
        'default 1/s',
      );
      const fromMs = Date.parse('2026-01-01T00:00Z');
      const slots = schedule.slots(fromMs, fromMs + 366 * DAY_MS);
      assert.equal(slots[0]!.fromMs, fromMs);
      assert.equal(slots.at(-1)!.toMs, fromMs + 366 * DAY_MS);
      for (const [i, slot] of slots.entries()) {
        assert.ok(slot.toMs > slot.fromMs);
        assert.equal(slot.fromMs, slots[i - 1]?.toMs ?? fromMs);
        for (let ms = slot.fromMs; ms < slot.toMs; ms += 10 * 60_000) {
          assert.equal(schedule.rateAt(ms), slot.rate, `${zone} ${new Date(ms).toISOString()}`);
        }
        assert.equal(schedule.rateAt(slot.toMs - 1), slot.rate);
      }
    }
  });
});
