import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SCHEDULED_PAUSE, ScheduleFollower } from '../../../src/drain/schedule/follow.js';
import { parseSchedule } from '../../../src/drain/schedule/parse.js';
import { KeptControl } from '../../../src/journal/kept-control.js';
import type { DrainSetting } from '../../../src/model/drain-control.js';

const HOUR_MS = 3_600_000;
const MIDNIGHT_MS = Date.parse('2026-11-28T00:00Z');
const NIGHT = '02:00-06:00 UTC 200/s\n12:00-13:00 UTC paused\ndefault 20/s';

/** A day that begins at midnight in UTC. */
class Day {
  readonly writes: DrainSetting[] = [];
  readonly logged: string[] = [];
  readonly control: KeptControl;
  readonly follower: ScheduleFollower;
  fails = false;
  #nowMs = MIDNIGHT_MS;

  constructor(setting: Partial<DrainSetting> = {}, startHour = 0, text = NIGHT) {
    this.#nowMs += startHour * HOUR_MS;
    const atMs = this.#nowMs;
    const first = { rate: 20, followsSchedule: true, pause: null, by: '--drain-rate', atMs };
    this.control = new KeptControl({ ...first, ...setting }, async (now) => {
      if (this.fails) throw new Error('the disk is full');
      this.writes.push(now);
    });
    const log = (event: string) => void this.logged.push(event);
    const schedule = parseSchedule(text, 'night', 20);
    this.follower = new ScheduleFollower(schedule, this.control, log, () => this.#nowMs);
  }

  async at(hour: number): Promise<DrainSetting> {
    this.#nowMs = MIDNIGHT_MS + hour * HOUR_MS;
    return this.check();
  }

  async check(): Promise<DrainSetting> {
    this.follower.check();
    for (let i = 0; i < 10; i++) await nextTurn();
    return this.control.setting;
  }
}

describe('the drain follows the schedule', () => {
  it('sets the rate when a window begins and when it ends, once each', async () => {
    const day = new Day();
    assert.equal((await day.at(0)).rate, 20);
    assert.equal((await day.at(1.999)).rate, 20);
    const night = await day.at(2);
    assert.deepEqual([night.rate, night.by], [200, 'schedule']);
    await day.at(3);
    assert.equal((await day.at(6)).rate, 20);
    assert.equal(day.writes.length, 2);
  });

  it('sets the rate of the window that a process starts in', async () => {
    const day = new Day({}, 3);
    assert.equal((await day.check()).rate, 200);
  });

  it('pauses in a window that is paused, and resumes at its end', async () => {
    const day = new Day({}, 11);
    assert.equal((await day.at(12)).pause, SCHEDULED_PAUSE);
    const after = await day.at(13);
    assert.deepEqual([after.pause, after.rate], [null, 20]);
  });

  it('leaves a rate that was set by hand, until the schedule is to be followed again', async () => {
    const day = new Day();
    await day.control.change({ rate: 77, followsSchedule: false, by: 'op@host' });
    assert.equal((await day.at(2)).rate, 77);
    await day.control.change({ followsSchedule: true, by: 'op@host' });
    assert.equal((await day.check()).rate, 200);
  });

  it('leaves the pause of an operator with its author, and has the right rate afterwards', async () => {
    const day = new Day();
    await day.control.change({ pause: 'deploy', by: 'op@host' });
    const paused = await day.at(2);
    assert.deepEqual([paused.pause, paused.by], ['deploy', 'op@host']);
    await day.control.change({ pause: null, by: 'op@host' });
    const resumed = await day.check();
    assert.deepEqual([resumed.pause, resumed.rate], [null, 200]);
  });

  it('does not end a pause that an operator has set in a window that is paused', async () => {
    const day = new Day({}, 12);
    assert.equal((await day.check()).pause, SCHEDULED_PAUSE);
    await day.control.change({ pause: 'stock-taking', by: 'op@host' });
    assert.equal((await day.at(13)).pause, 'stock-taking');
  });

  it('does not overrule an operator who resumes in a window that is paused, nor after a restart in it', async () => {
    const day = new Day({}, 12);
    await day.check();
    await day.control.change({ pause: null, by: 'op@host' });
    assert.equal((await day.at(12.5)).pause, null);
    const kept = { ...day.control.setting, atMs: MIDNIGHT_MS + 12.5 * HOUR_MS };
    const restarted = new Day(kept, 12.6);
    assert.equal((await restarted.check()).pause, null);
    assert.equal((await restarted.at(13)).rate, 20);
  });

  it('ends its own pause also if a rate was set by hand meanwhile', async () => {
    const day = new Day({}, 12);
    await day.check();
    await day.control.change({ rate: 5, followsSchedule: false, by: 'op@host' });
    const after = await day.at(13);
    assert.deepEqual([after.pause, after.rate], [null, 5]);
  });

  it('applies after a restart what has changed while no process ran', async () => {
    const kept = { rate: 200, by: 'schedule', atMs: MIDNIGHT_MS + 2 * HOUR_MS };
    assert.equal((await new Day(kept, 7).check()).rate, 20);
  });

  it('applies after a restart in the same window what the file says now', async () => {
    const atMs = MIDNIGHT_MS + 2 * HOUR_MS;
    const kept = { rate: 200, by: 'schedule', atMs };
    const faster = NIGHT.replace('200/s', '300/s');
    assert.equal((await new Day(kept, 3, faster).check()).rate, 300);
    const paused = NIGHT.replace('200/s', 'paused');
    assert.equal((await new Day(kept, 3, paused).check()).pause, SCHEDULED_PAUSE);
    const resumed = { ...kept, by: 'op@host' };
    assert.equal((await new Day(resumed, 3, faster).check()).rate, 300);
    const noLongerPaused = new Day({ ...kept, pause: SCHEDULED_PAUSE }, 3);
    assert.equal((await noLongerPaused.check()).pause, null);
  });

  it('tries again when the setting cannot be kept, and says so', async () => {
    const day = new Day();
    await day.check();
    day.fails = true;
    assert.equal((await day.at(2)).rate, 20);
    assert.deepEqual(day.logged, ['schedule-waits']);
    day.fails = false;
    assert.equal((await day.check()).rate, 200);
  });

  it('follows a clock that is set back', async () => {
    const day = new Day();
    assert.equal((await day.at(2)).rate, 200);
    assert.equal((await day.at(1)).rate, 20);
  });
});
