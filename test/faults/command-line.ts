import { parseArgs } from 'node:util';

export interface FaultOptions {
  /** Run `i` of each fault has the seed `seed + i`. */
  readonly seed: number;
  readonly times: number;
  /** Names, or beginnings of names; empty for all. */
  readonly only: readonly string[];
  readonly isShort: boolean;
  readonly durationS: number;
  readonly rate: number;
  readonly isList: boolean;
}

const TIMES_LONG = 10;
const DURATION_S_LONG = 15;
const DURATION_S_SHORT = 5;
const RATE = 2000;

export const USAGE = `node scripts/faults.mjs [options]
  --short          the main faults once, with short waits
  --only NAMES     names, or beginnings of names, separated by commas
  --seed N         seed of the first run of each fault; the next use N+1, N+2, … (default: random)
  --times N        runs per fault (default ${TIMES_LONG}; 1 with --short)
  --duration S     approximate length of the load in seconds (default ${DURATION_S_LONG}; ${DURATION_S_SHORT} with --short)
  --rate N         orders per second (default ${RATE})
  --list           list the faults and exit`;

/** @throws Error in one line for an unknown option or a wrong number */
export function faultOptions(args: readonly string[]): FaultOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
      times: { type: 'string' },
      duration: { type: 'string' },
      rate: { type: 'string', default: String(RATE) },
      list: { type: 'boolean', default: false },
    },
  });
  const isShort = values.short;
  return {
    seed: whole('seed', values.seed, 0, 2 ** 31),
    times: whole('times', values.times ?? String(isShort ? 1 : TIMES_LONG), 1, 1000),
    only: values.only.split(',').filter((name) => name !== ''),
    isShort,
    durationS: whole(
      'duration',
      values.duration ?? String(isShort ? DURATION_S_SHORT : DURATION_S_LONG),
      1,
      120,
    ),
    rate: whole('rate', values.rate, 1, 20_000),
    isList: values.list,
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} ${text}: must be a whole number from ${least} to ${most}`);
}
