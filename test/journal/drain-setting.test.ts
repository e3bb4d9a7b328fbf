import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openSource } from '../../src/journal/open.js';
import type { SourceHandle } from '../../src/journal/source-handle.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { changed, type DrainSetting } from '../../src/model/drain-control.js';
import { loadOptions } from '../../src/options/load.js';
import { runCheck } from '../cli/check/run-check.js';
import { newFrameId } from './frames.js';

function dataFolder(t: TestContext): string {
  const data = mkdtempSync(join(tmpdir(), 'forebay-drain-setting-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

async function open(data: string, rate: number): Promise<SourceHandle & { lines: string[] }> {
  const options = loadOptions(['--data', data, '--drain-rate', `${rate}`], {});
  const lines: string[] = [];
  const handle = await openSource(options, {
    newFrameId,
    acceptedOrders: () => 0,
    spooledOrders: () => 0,
    failedKeyRows: () => 0,
    counts: new ThreadCounts(createCounts(2), 0),
    log: (event, message) => void lines.push(`${event}: ${message}`),
    requestWake: null,
    claimFolder: async () => {},
    left: () => [],
  });
  return { ...handle, lines: lines.filter((line) => line.startsWith('drain-')) };
}

describe('the drain setting of a local journal', () => {
  it('is the option until it is set, and then what was set, over restarts', async (t) => {
    const data = dataFolder(t);
    const first = await open(data, 60);
    assert.deepEqual([first.control.setting.rate, first.control.setting.by], [60, '--drain-rate']);
    await first.close();
    const second = await open(data, 70);
    assert.equal(second.control.setting.rate, 70);
    const set = await second.control.change({ rate: 200, pause: 'deploy', by: 'ann@shop' });
    assert.deepEqual(second.lines, []);
    await second.close();

    const third = await open(data, 70);
    assert.deepEqual(third.control.setting, set);
    assert.equal(third.allowance.slots, 0);
    assert.match(
      third.lines.join(),
      /^drain-rate-kept: --drain-rate 70 is not in force: .*200 orders\/s.*ann@shop.*forebay drain --rate 70$/,
    );
    await third.control.change({ pause: null, by: 'ann@shop' });
    assert.equal(third.allowance.slots, 200);
    await third.close();

    const fourth = await open(data, 0);
    assert.match(
      fourth.lines.join(),
      /^drain-kept: the drain was set to 200 orders\/s by ann@shop/,
    );
    await fourth.close();
  });

  it('is the option again when only a schedule has set it, and there is none any more', async (t) => {
    const data = dataFolder(t);
    const first = await open(data, 60);
    const followed = { rate: 20, followsSchedule: true, pause: 'a window', by: 'schedule' };
    await first.control.change(followed);
    await first.close();
    const second = await open(data, 0);
    const { rate, pause, followsSchedule } = second.control.setting;
    assert.deepEqual([rate, pause, followsSchedule, second.lines], [0, null, false, []]);
    await second.control.change({ ...followed, by: 'ann@shop' });
    await second.close();
    const third = await open(data, 0);
    assert.equal(third.control.setting.pause, 'a window');
    assert.match(
      third.lines.join(),
      /^drain-rate-kept: the drain follows a schedule, and .*--rate 0$/,
    );
    await third.close();
  });

  it('is told by forebay check as serve would', async (t) => {
    const data = dataFolder(t);
    const first = await open(data, 60);
    await first.control.change({ rate: 200, by: 'ann@shop' });
    await first.close();
    const kept = (await runCheck('--data', data)).about('drain');
    assert.equal(kept.verdict, 'ok');
    assert.match(kept.text, /^the drain was set to 200 orders\/s by ann@shop at /);
    const refused = (await runCheck('--data', data, '--drain-rate', '70')).about('drain');
    assert.equal(refused.verdict, 'warn');
    assert.match(refused.text, /^--drain-rate 70 is not in force: the drain was set to 200/);
    assert.equal(refused.fix, 'to change it: forebay drain --rate 70');
    const second = await open(data, 60);
    await second.control.change({ pause: 'deploy', by: 'bob@shop' });
    await second.close();
    const paused = (await runCheck('--data', data)).about('drain');
    assert.deepEqual([paused.verdict, paused.facts.isPaused], ['warn', true]);
    assert.match(
      `${paused.text} ${paused.fix}`,
      /paused: deploy by bob@shop.*forebay drain --resume/,
    );
  });

  it('is the option again if its row is damaged, with a line in the log', async (t) => {
    const data = dataFolder(t);
    const first = await open(data, 60);
    await first.control.change({ rate: 200, by: 'ann@shop' });
    await first.close();
    const store = new LocalStore(data);
    const key = Buffer.from('drain');
    const row = Buffer.from(store.meta.getBinary(key)!);
    row[row.indexOf('200')] = '9'.charCodeAt(0);
    await store.write(() => store.meta.put(key, row));
    await store.close();
    const second = await open(data, 60);
    assert.equal(second.control.setting.rate, 60);
    assert.match(second.lines.join(), /^drain-setting-unreadable: .*checksum/);
    await second.close();
  });

  it('stays as it was if it cannot be kept', async (t) => {
    const { control, close } = await open(dataFolder(t), 60);
    await close();
    await assert.rejects(control.change({ rate: 1, by: 'ann' }), /the journal is closed/);
    assert.equal(control.setting.rate, 60);
  });
});

describe('a change of the drain setting', () => {
  const setting: DrainSetting = {
    rate: 60,
    followsSchedule: true,
    pause: null,
    by: 'ann',
    atMs: 1,
  };

  it('leaves what it does not name, and says who and when', () => {
    assert.deepEqual(changed(setting, { pause: 'x', by: 'bob' }, 2), {
      ...setting,
      pause: 'x',
      by: 'bob',
      atMs: 2,
    });
  });

  it('is none if nothing changes', () => {
    assert.equal(changed(setting, { rate: 60, pause: null, by: 'bob' }, 2), setting);
  });

  it('makes texts one line, without control characters, and cuts them', () => {
    const pause = `a\n\u001b[31mb\u2028${'😀'.repeat(300)}`;
    const { by, pause: kept } = changed(setting, { pause, by: 'x\r\ny'.repeat(100) }, 2);
    assert.equal(kept, `a [31mb ${'😀'.repeat(192)}`);
    assert.deepEqual([by.length, /[\r\n]/.test(by)], [100, false]);
  });

  it('may have no wrong rate', () => {
    for (const rate of [-1, 1.5, Number.NaN, 1_000_001, Number.POSITIVE_INFINITY]) {
      assert.throws(() => changed(setting, { rate, by: 'ann' }, 2), /^Error: rate .*whole number/);
    }
  });
});
