import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadSchedule, parseSchedule } from '../../../src/drain/schedule/parse.js';
import { EXIT, OperatorFault } from '../../../src/model/fault.js';

const parse = (text: string, drainRate = 0) => parseSchedule(text, 'night.txt', drainRate);

function faultOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof OperatorFault);
    assert.equal(error.exitCode, EXIT.usage);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  assert.fail(`nothing is wrong with ${JSON.stringify(text)}`);
}

describe('the file of --drain-schedule', () => {
  it('has a window with times, zone and rate in each line', () => {
    const { windows } = parse('# nights\n\n02:00-06:00 Europe/Berlin 200/s # fast\r\n');
    assert.deepEqual(windows, [
      {
        line: 3,
        zone: 'Europe/Berlin',
        days: Array(7).fill(true),
        fromMinute: 120,
        toMinute: 360,
        rate: 200,
      },
    ]);
  });

  it('takes days of the week, in ranges, lists and across the end of the week', () => {
    const daysOf = (words: string) => {
      const { days } = parse(`${words} 02:00-06:00 UTC 1/s`).windows[0]!;
      return days.map((isOn) => (isOn ? 'x' : '-')).join('');
    };
    assert.equal(daysOf('Mon-Fri'), '-xxxxx-');
    assert.equal(daysOf('sat,sun'), 'x-----x');
    assert.equal(daysOf('FRI-MON'), 'xx---xx');
    assert.equal(daysOf('Tue,Thu-Fri'), '--x-xx-');
    assert.equal(daysOf('monday-Wednesday'), '-xxx---');
  });

  it('takes the words of a line in any order', () => {
    const usual = parse('Mon-Fri 02:00-06:00 Europe/Berlin 200/s').windows;
    assert.deepEqual(parse('200/s Europe/Berlin 02:00-06:00 mon-fri').windows, usual);
    assert.deepEqual(parse('02:00-06:00 Europe/Berlin Mon-Fri 200/s').windows, usual);
  });

  it('takes paused and unlimited as rates, and the whole day', () => {
    const { windows } = parse('00:00-12:00 UTC paused\n00:00-24:00 UTC unlimited\n');
    assert.deepEqual(
      windows.map(({ rate }) => rate),
      ['paused', 0],
    );
    assert.equal(windows[1]!.toMinute, 1440);
    assert.equal(parse('22:00-00:00 UTC 1/s').windows[0]!.toMinute, 1440);
  });

  it('has the default of its line default, else --drain-rate', () => {
    assert.equal(parse('02:00-06:00 UTC 200/s\ndefault 20/s\n', 7).defaultRate, 20);
    assert.equal(parse('default paused\n02:00-06:00 UTC 200/s', 7).defaultRate, 'paused');
    assert.equal(parse('02:00-06:00 UTC 200/s', 7).defaultRate, 7);
  });

  it('says in one line what is wrong, where, and what to write', () => {
    const faults: readonly (readonly [string, RegExp])[] = [
      ['', /^--drain-schedule night\.txt: it has no window; fix: write a line such as /],
      ['default 5/s', /: it has no window; fix: /],
      ['\n02:00-06:00 Europe/Berlin', / night\.txt line 2: it has no rate; fix: .*200\/s/],
      ['02:00-06:00 200/s', / line 1: it has no time zone; fix: .*Europe\/Berlin/],
      ['Europe/Berlin 200/s', / line 1: it has no times; fix: .*02:00-06:00/],
      ['2:00-6:00 UTC 1/s', / line 1: the times are "2:00-6:00"; fix: .*02:00-06:00/],
      ['02:00-25:00 UTC 1/s', /the times are "02:00-25:00"; fix: /],
      ['02:00-06:60 UTC 1/s', /the times are "02:00-06:60"; fix: /],
      ['02:00-02:00 UTC 1/s', /the times "02:00-02:00" are the same; fix: .*00:00-24:00/],
      [
        '02:00-06:00 Europe/Berlim 1/s',
        /time zone "Europe\/Berlim" is not known; fix: write Europe\/Berlin /,
      ],
      ['02:00-06:00 Mars/Base 1/s', /time zone "Mars\/Base" is not known; fix: .*Europe\/Berlin/],
      ['Mo-Fr 02:00-06:00 UTC 1/s', /"Mo-Fr" is neither days nor a time zone; fix: .*Mon-Fri/],
      [
        '2:00-6:00 UTC 1/s\n02:00-06:00 UTC 1/s\n02:00-06:00 UTC 5\nx',
        /line 1: .*; also wrong: line 3, 4$/,
      ],
      ['02:00-06:00 +02:00 1/s', /"\+02:00" is no time zone; fix: /],
      ['02:00-06:00 UTC 200', /the rate is "200"; fix: .*200\/s/],
      ['02:00-06:00 UTC 1.5/s', /the rate is "1\.5\/s"; fix: /],
      ['02:00-06:00 UTC 5/min', /the rate is "5\/min"; fix: /],
      ['02:00-06:00 UTC 1000001/s', /the rate is "1000001\/s"; fix: .*1000000/],
      ['02:00-06:00 UTC -5/s', /the rate is "-5\/s"; fix: /],
      ['02:00-06:00 UTC 0/s', /"0\/s" can mean two things; fix: .*unlimited.*paused/],
      ['02:00-06:00 UTC off', /"off" can mean two things; fix: .*unlimited.*paused/],
      ['Mon-Fry 02:00-06:00 UTC 1/s', /"Mon-Fry" is no list of days; fix: .*Mon-Fri/],
      ['Mon-Wed-Fri 02:00-06:00 UTC 1/s', /"Mon-Wed-Fri" is no list of days; fix: /],
      ['02:00-06:00 UTC 1/s 2/s', /"2\/s" is one too many; fix: /],
      ['02:00-06:00 UTC UTC 1/s', /"UTC" is one too many; fix: /],
      ['02:00-06:00 UTC 1/s\ndefault', / line 2: it has no rate; fix: /],
      ['02:00-06:00 UTC 1/s\ndefault soon', / line 2: "soon" is no rate; fix: /],
      ['02:00-06:00 UTC 1/s\ndefault 1/s\ndefault 2/s', / line 3: line 2 is a default too; fix: /],
      ['01:00-06:00 UTC 1/s\nMon 02:00-05:00 UTC 2/s', / line 2: it is never in force.*; fix: /],
      ['02:00-06:00 UTC 1/s\n'.repeat(101), /it has 101 windows; fix: .*100/],
    ];
    for (const [text, expected] of faults) assert.match(faultOf(text), expected);
  });

  it('may have windows that overlap in part', () => {
    assert.equal(parse('Sun 02:00-05:00 UTC 2/s\n01:00-06:00 UTC 1/s').windows.length, 2);
    assert.equal(parse('01:00-03:00 UTC 1/s\n02:00-05:00 UTC 2/s').windows.length, 2);
  });

  describe('on disk', () => {
    const folder = mkdtempSync(join(tmpdir(), 'forebay-schedule-'));
    after(() => rmSync(folder, { recursive: true }));

    it('is read with a byte order mark', () => {
      const file = join(folder, 'night');
      writeFileSync(file, '\ufeff02:00-06:00 UTC 3/s\n');
      assert.equal(loadSchedule(file, 0).windows[0]!.rate, 3);
    });

    it('is told to be missing, or a folder', () => {
      const missing = join(folder, 'gone');
      const expected = new RegExp(`--drain-schedule ${missing}: there is no such file; fix: `);
      assert.throws(() => loadSchedule(missing, 0), expected);
      assert.throws(() => loadSchedule(folder, 0), /it is a folder; fix: /);
    });
  });
});
