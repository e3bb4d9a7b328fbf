import { defaultWave } from '../../k6/lib/sine.js';
import { MODES, type Mode } from '../../src/model/options.js';
import { flagLines, GivenFlags, type NumberFlag } from '../flags.js';

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

const numbers = {
  min: { fallback: defaultWave.minRps, min: 0, max: 10_000, help: 'requests per second, trough' },
  max: { fallback: defaultWave.maxRps, min: 1, max: 10_000, help: 'requests per second, peak' },
  period: { fallback: defaultWave.periodS, min: 1, max: 3_600, help: 'seconds' },
  periods: { fallback: defaultWave.periods, min: 1, max: 1_000, help: 'how many' },
  limit: { fallback: 50, min: 1, max: 10_000, help: "direct mode: the server's --rps-limit" },
  'drain-rate': { fallback: 0, min: 0, max: 10_000, help: "queue mode: the server's --drain-rate" },
  settle: { fallback: 30, min: 0, max: 3_600, help: 'seconds to wait for the last order' },
} as const satisfies Record<string, NumberFlag>;

const texts = {
  url: { fallback: 'http://127.0.0.1:3000', help: 'where orders are taken' },
  'admin-url': { fallback: 'http://127.0.0.1:3001', help: 'where /metrics is, or none' },
  mode: { fallback: 'queue', help: MODES.join(' or ') },
} as const;

type Given = GivenFlags<typeof numbers, typeof texts>;

/** @throws OperatorFault one line that names the option and what it takes */
export function parseWaveOptions(args: readonly string[]): WaveOptions {
  const given = new GivenFlags('wave', args, numbers, texts);
  const mode = given.text('mode');
  if (!isMode(mode)) throw given.fault(`--mode ${mode}: ${texts.mode.help}`);
  const options: WaveOptions = {
    mode,
    url: urlOf('url', given),
    adminUrl: given.text('admin-url') === 'none' ? null : urlOf('admin-url', given),
    wave: {
      minRps: given.number('min'),
      maxRps: given.number('max'),
      periodS: given.number('period'),
      periods: given.number('periods'),
    },
    limitRps: given.number('limit'),
    drainRps: given.number('drain-rate'),
    settleS: given.number('settle'),
  };
  checkWave(options.wave, given);
  return options;
}

export function waveHelp(): string {
  const lines = [
    'forebay wave [options]: drives a server through the sine wave and judges what it did',
    '',
    'Options',
    ...flagLines({ ...texts, ...numbers }),
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
  ];
  return `${lines.join('\n')}\n`;
}

function urlOf(name: 'url' | 'admin-url', given: Given): string {
  const text = given.text(name);
  if (!URL.canParse(text) || new URL(text).protocol !== 'http:') {
    throw given.fault(`--${name} ${text}: a URL such as ${texts[name].fallback}`);
  }
  return text.replace(/\/+$/, '');
}

function checkWave(wave: WaveOptions['wave'], given: Given): void {
  if (wave.minRps > wave.maxRps)
    throw given.fault(`--min ${wave.minRps}: at most --max, which is ${wave.maxRps}`);
  const arrivals = ((wave.minRps + wave.maxRps) / 2) * wave.periodS * wave.periods;
  if (arrivals > ARRIVALS_MAX) {
    throw given.fault(
      `a wave of ${Math.round(arrivals)} requests: at most ${ARRIVALS_MAX} in one run`,
    );
  }
}

function isMode(text: string): text is Mode {
  return (MODES as readonly string[]).includes(text);
}
