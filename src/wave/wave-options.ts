import { parseArgs } from 'node:util';
import { defaultWave } from '../../k6/lib/sine.js';
import { EXIT, OperatorFault } from '../contract/fault.js';
import { MODES, type Mode } from '../contract/options.js';

export interface WaveOptions {
  readonly url: string;
  /** Where /metrics is; null when what the server counted is not to be checked. */
  readonly adminUrl: string | null;
  readonly mode: Mode;
  readonly wave: {
    readonly minRps: number;
    readonly maxRps: number;
    readonly periodS: number;
    readonly periods: number;
  };
  /** Beyond it direct mode answers 500: the server's --rps-limit. */
  readonly limitRps: number;
  /** What queue mode may process a second: the server's --drain-rate; 0 for no bound. */
  readonly drainRps: number;
  /** Seconds to wait, beyond what the drain rate asks for, until the last order is processed. */
  readonly settleS: number;
}

/** A run is held in memory, one number an arrival. */
const ARRIVALS_MAX = 1_000_000;

interface NumberOption {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}

const numbers = {
  min: { fallback: defaultWave.minRps, min: 0, max: 10_000, help: 'requests per second, trough' },
  max: { fallback: defaultWave.maxRps, min: 1, max: 10_000, help: 'requests per second, peak' },
  period: { fallback: defaultWave.periodS, min: 1, max: 3_600, help: 'seconds' },
  periods: { fallback: defaultWave.periods, min: 1, max: 1_000, help: 'how many' },
  limit: { fallback: 50, min: 1, max: 10_000, help: "direct mode: the server's --rps-limit" },
  'drain-rate': { fallback: 0, min: 0, max: 10_000, help: "queue mode: the server's --drain-rate" },
  settle: { fallback: 30, min: 0, max: 3_600, help: 'seconds to wait for the last order' },
} as const satisfies Record<string, NumberOption>;

const texts = {
  url: { fallback: 'http://127.0.0.1:3000', help: 'where orders are taken' },
  'admin-url': { fallback: 'http://127.0.0.1:3001', help: 'where /metrics is, or none' },
  mode: { fallback: 'queue', help: MODES.join(' or ') },
} as const;

type Given = Readonly<Record<string, string | undefined>>;

/** @throws OperatorFault one line that names the option and what it takes */
export function parseWaveOptions(args: readonly string[]): WaveOptions {
  const given = readFlags(args);
  const mode = given.mode ?? texts.mode.fallback;
  if (!isMode(mode)) throw usage(`--mode ${mode}: ${texts.mode.help}`);
  const options: WaveOptions = {
    mode,
    url: urlOf('url', given),
    adminUrl: given['admin-url'] === 'none' ? null : urlOf('admin-url', given),
    wave: {
      minRps: numberOf('min', given),
      maxRps: numberOf('max', given),
      periodS: numberOf('period', given),
      periods: numberOf('periods', given),
    },
    limitRps: numberOf('limit', given),
    drainRps: numberOf('drain-rate', given),
    settleS: numberOf('settle', given),
  };
  checkWave(options.wave);
  return options;
}

export function waveHelp(): string {
  const lines = [
    'forebay wave [options]: drives a server through the sine wave and judges what it did',
    '',
    'Options',
  ];
  for (const [name, { fallback, help }] of Object.entries({ ...texts, ...numbers })) {
    lines.push(`  ${`--${name}`.padEnd(14)} ${help} (default ${fallback})`);
  }
  lines.push(
    '',
    'Examples',
    '  forebay wave --drain-rate 60             against: forebay serve --drain-rate 60',
    '  forebay wave --mode direct               against: forebay serve --mode direct',
    '  forebay wave --period 10 --periods 1     a short one',
    '',
    'Exit codes',
    '  0  the run showed what it must',
    "  1  it did not, or the server's metrics cannot be read",
    '  2  an option is wrong',
  );
  return `${lines.join('\n')}\n`;
}

function readFlags(args: readonly string[]): Given {
  const flags = Object.fromEntries(
    Object.keys({ ...texts, ...numbers }).map((name) => [name, { type: 'string' as const }]),
  );
  try {
    return parseArgs({ args: [...args], options: flags, strict: true }).values as Given;
  } catch (error) {
    const [what] = (error as Error).message.split(/\n|\. /);
    throw usage(`${what}; forebay wave --help lists all`);
  }
}

function numberOf(name: keyof typeof numbers, given: Given): number {
  const { fallback, min, max } = numbers[name];
  const text = given[name];
  if (text === undefined) return fallback;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= min && value <= max)) throw usage(`--${name} ${text}: a number, ${min} to ${max}`);
  return value;
}

function urlOf(name: 'url' | 'admin-url', given: Given): string {
  const text = given[name] ?? texts[name].fallback;
  if (!URL.canParse(text) || new URL(text).protocol !== 'http:') {
    throw usage(`--${name} ${text}: a URL such as ${texts[name].fallback}`);
  }
  return text.replace(/\/+$/, '');
}

function checkWave(wave: WaveOptions['wave']): void {
  if (wave.minRps > wave.maxRps)
    throw usage(`--min ${wave.minRps}: at most --max, which is ${wave.maxRps}`);
  const arrivals = ((wave.minRps + wave.maxRps) / 2) * wave.periodS * wave.periods;
  if (arrivals > ARRIVALS_MAX) {
    throw usage(`a wave of ${Math.round(arrivals)} requests: at most ${ARRIVALS_MAX} in one run`);
  }
}

function isMode(text: string): text is Mode {
  return (MODES as readonly string[]).includes(text);
}

function usage(message: string): OperatorFault {
  return new OperatorFault(`wave: ${message}`, EXIT.usage);
}
