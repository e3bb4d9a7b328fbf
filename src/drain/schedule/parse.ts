import { readFileSync } from 'node:fs';
import { EXIT, OperatorFault, whyNotRead } from '../../model/fault.js';
import { closeName } from '../../options/suggest.js';
import { type DayWindow, DrainSchedule, hiddenWindow, type ScheduledRate } from './schedule.js';
import { ZoneClock } from './zone-clock.js';

/** Each is looked at for every change. */
const WINDOWS_MAX = 100;
const BYTES_MAX = 65_536;
const LINES_NAMED_MAX = 20;
/** As of --drain-rate. */
const RATE_MAX = 1_000_000;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const EXAMPLE = 'Mon-Fri 02:00-06:00 Europe/Berlin 200/s';

/** A fault of one line: what is wrong, and what to write. */
class LineFault extends Error {
  readonly fix: string;

  constructor(what: string, fix: string) {
    super(what);
    this.fix = fix;
  }
}

/**
 * The schedule in a file of --drain-schedule.
 * @param drainRate the rate while no window is in force, if the file has no line `default`
 * @throws OperatorFault with EXIT.usage, one line with file, line, value and fix
 */
export function loadSchedule(file: string, drainRate: number): DrainSchedule {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new OperatorFault(
      `--drain-schedule ${file}: ${whyNotRead(error)}; fix: name a file that this user can read`,
      EXIT.usage,
    );
  }
  return parseSchedule(text, file, drainRate);
}

/** The same for the content of the file. */
export function parseSchedule(text: string, file: string, drainRate: number): DrainSchedule {
  const faultIn = (place: string, what: string, fix: string) =>
    new OperatorFault(`--drain-schedule ${file}${place}: ${what}; fix: ${fix}`, EXIT.usage);
  if (text.length > BYTES_MAX) {
    throw faultIn('', `it has more than ${BYTES_MAX} bytes`, 'name the file of the schedule');
  }
  const windows: DayWindow[] = [];
  const faults: { readonly line: number; readonly fault: LineFault }[] = [];
  let fallback: { readonly line: number; readonly rate: ScheduledRate } | null = null;
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const words = raw.replace(/#.*/s, '').trim().split(/\s+/);
    if (words[0] === '') continue;
    const line = index + 1;
    try {
      if (words[0]!.toLowerCase() !== 'default') windows.push(parseWindow(words, line));
      else if (fallback === null) fallback = { line, rate: parseDefault(words) };
      else throw new LineFault(`line ${fallback.line} is a default too`, 'remove one of them');
    } catch (error) {
      if (!(error instanceof LineFault)) throw error;
      faults.push({ line, fault: error });
    }
  }
  const [first, ...more] = faults;
  if (first !== undefined) {
    const { line, fault } = first;
    throw faultIn(` line ${line}`, fault.message, `${fault.fix}${alsoWrong(more)}`);
  }
  if (windows.length === 0)
    throw faultIn('', 'it has no window', `write a line such as ${EXAMPLE}`);
  if (windows.length > WINDOWS_MAX) {
    throw faultIn('', `it has ${windows.length} windows`, `write at most ${WINDOWS_MAX}`);
  }
  const hidden = hiddenWindow(windows);
  if (hidden !== null) {
    const what = 'it is never in force, because lines before it cover all of it';
    throw faultIn(
      ` line ${hidden.line}`,
      what,
      'move it up, because the first line wins, or remove it',
    );
  }
  return new DrainSchedule(windows, fallback?.rate ?? drainRate);
}

/** Names other lines with faults, so that nobody needs a start for each. */
function alsoWrong(more: readonly { readonly line: number }[]): string {
  if (more.length === 0) return '';
  const lines = more.slice(0, LINES_NAMED_MAX).map(({ line }) => line);
  const rest = more.length > lines.length ? ', …' : '';
  return `; also wrong: line ${lines.join(', ')}${rest}`;
}

function parseDefault(words: readonly string[]): ScheduledRate {
  const [, word, ...more] = words;
  if (word === undefined) throw new LineFault('it has no rate', 'write such as default 20/s');
  const rate = asRate(word);
  if (rate === null || more.length > 0) {
    const wrong = quoted(words.slice(1).join(' '));
    throw new LineFault(`${wrong} is no rate`, 'write default and a rate such as 20/s');
  }
  return rate;
}

/** The words may stand in any order: each tells by itself what it is. */
function parseWindow(words: readonly string[], line: number): DayWindow {
  const parts: { days?: boolean[]; times?: number[]; zone?: string; rate?: ScheduledRate } = {};
  const set = <K extends keyof typeof parts>(key: K, value: (typeof parts)[K], word: string) => {
    if (parts[key] !== undefined) {
      throw new LineFault(`${quoted(word)} is one too many`, `write such as ${EXAMPLE}`);
    }
    parts[key] = value;
  };
  for (const word of words) {
    const days = asDays(word);
    const rate = asRate(word);
    if (days !== null) set('days', days, word);
    else if (rate !== null) set('rate', rate, word);
    else if (/^\d+:|^\d+-\d+$/.test(word)) set('times', asTimes(word), word);
    else set('zone', asZone(word), word);
  }
  const { days = DAYS.map(() => true), times, zone, rate } = parts;
  if (times === undefined) throw new LineFault('it has no times', 'write such as 02:00-06:00');
  if (zone === undefined)
    throw new LineFault('it has no time zone', 'write such as Europe/Berlin or UTC');
  if (rate === undefined)
    throw new LineFault('it has no rate', 'write such as 200/s, paused or unlimited');
  return { line, zone, days, fromMinute: times[0]!, toMinute: times[1]!, rate };
}

/** Null when it does not look like a rate. */
function asRate(word: string): ScheduledRate | null {
  const lower = word.toLowerCase();
  if (lower === 'paused') return 'paused';
  if (lower === 'unlimited') return 0;
  if (lower === 'off' || /^0+(?:\/s)?$/.test(lower)) {
    const fix = 'write unlimited for no limit, or paused to process nothing';
    throw new LineFault(`${quoted(word)} can mean two things`, fix);
  }
  const isNumber = /^[-+]?[\d.,_]+(?:e\d+)?(?:\/.*)?$/.test(lower);
  if (!isNumber) return null;
  const value = /^\d+\/s$/.test(lower) ? Number.parseInt(lower, 10) : Number.NaN;
  if (!(value <= RATE_MAX)) {
    const fix = `write a whole number from 1 to ${RATE_MAX} and /s, such as 200/s`;
    throw new LineFault(`the rate is ${quoted(word)}`, fix);
  }
  return value;
}

/** Null when it does not begin with a day of the week. */
function asDays(word: string): boolean[] | null {
  const items = word
    .toLowerCase()
    .split(',')
    .map((item) => item.split('-'));
  if (!DAYS.some((day) => day === items[0]![0]!.slice(0, 3)) || word.includes('/')) return null;
  const days = DAYS.map(() => false);
  for (const item of items) {
    const [from, to = from, ...more] = item.map(dayIndex);
    if (from === undefined || from < 0 || to === undefined || to < 0 || more.length > 0) {
      const fix = 'write days such as Mon-Fri or Sat,Sun';
      throw new LineFault(`${quoted(word)} is no list of days`, fix);
    }
    for (let day = from; ; day = (day + 1) % 7) {
      days[day] = true;
      if (day === to) break;
    }
  }
  return days;
}

const LONG_DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** -1 for anything but a day. */
function dayIndex(text: string): number {
  return Math.max(DAYS.indexOf(text as (typeof DAYS)[number]), LONG_DAYS.indexOf(text));
}

function asTimes(word: string): number[] {
  const match = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))$/.exec(word);
  if (match === null) {
    const fix = 'write two times of 24 hours such as 02:00-06:00 or 22:00-24:00';
    throw new LineFault(`the times are ${quoted(word)}`, fix);
  }
  const [, fromHour, fromMinute, hour, minute, lastHour, lastMinute] = match;
  const from = Number(fromHour) * 60 + Number(fromMinute);
  // 00:00 as an end is the midnight after the start.
  const to = Number(hour ?? lastHour) * 60 + Number(minute ?? lastMinute) || 1440;
  if (from === to) {
    throw new LineFault(
      `the times ${quoted(word)} are the same`,
      'write 00:00-24:00 for whole days',
    );
  }
  return [from, to];
}

function asZone(word: string): string {
  const fix = 'write a name such as Europe/Berlin, America/New_York or UTC';
  // Only new versions of Node.js take offsets such as +02:00.
  if (!/^[A-Za-z][\w+/-]*$/.test(word)) throw new LineFault(`${quoted(word)} is no time zone`, fix);
  try {
    new ZoneClock(word);
    return word;
  } catch {
    const guess = closeName(word, Intl.supportedValuesOf('timeZone'));
    if (guess === undefined && !word.includes('/')) {
      const both = 'write days such as Mon-Fri, or a time zone such as Europe/Berlin';
      throw new LineFault(`${quoted(word)} is neither days nor a time zone`, both);
    }
    const hint = guess === undefined ? fix : `write ${guess} if that is meant`;
    throw new LineFault(`the time zone ${quoted(word)} is not known`, hint);
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
