import { defaultWave, expectedArrivals } from '../../k6/lib/sine.js';
import { MODES, type Mode } from '../../src/model/options.js';
import { clientToken } from '../../src/options/admin-tokens.js';
import { BODY_HELP, checkedPath, PATH, PATH_HELP, readBody } from '../body-file.js';
import { flagFault, flagLines, type NumberFlag, readFlags, type TextFlag } from '../flags.js';

export interface Wave {
  readonly minRps: number;
  readonly maxRps: number;
  readonly periodS: number;
  readonly periods: number;
}

export interface WaveOptions {
  readonly url: string;
  /** Where orders are posted, below the URL. */
  readonly path: string;
  /** The text of each body, with placeholders (k6/lib/body.js); empty for the built-in order. */
  readonly body: string;
  /** The file that `body` is from; empty for the built-in order. */
  readonly bodyFile: string;
  /** Where /metrics is; null when the server's own counts are not to be checked. */
  readonly adminUrl: string | null;
  /** What the admin server asks for; null if it asks for none. */
  readonly adminToken: string | null;
  readonly mode: Mode;
  readonly wave: Wave;
  /** The server's --rps-limit: in direct mode it answers 500 to what is above. */
  readonly rpsLimit: number;
  /** The server's --drain-rate: in queue mode it processes at most so many orders a second; 0 is no limit. */
  readonly drainRate: number;
  /** Seconds to wait for the last order, beyond the time that the drain rate asks for. */
  readonly settleS: number;
}

/** A run is held in memory, one entry for each request. */
const ARRIVALS_MAX = 1_000_000;

const flags = {
  url: { default: 'http://127.0.0.1:3000', help: 'URL of the server for orders' },
  path: { default: PATH, help: PATH_HELP },
  body: { default: '', help: BODY_HELP },
  'admin-url': { default: 'http://127.0.0.1:3001', help: 'where /metrics is, or none' },
  'admin-token-file': { default: '', help: "the server's tokens" },
  mode: { default: 'queue', choices: MODES, help: MODES.join(' or ') },
  'rate-min': {
    default: defaultWave.minRps,
    min: 0,
    max: 10_000,
    formerly: 'min',
    help: 'requests per second in the trough',
  },
  'rate-max': {
    default: defaultWave.maxRps,
    min: 1,
    max: 10_000,
    formerly: 'max',
    help: 'requests per second at the peak',
  },
  'period-s': {
    default: defaultWave.periodS,
    min: 1,
    max: 3_600,
    formerly: 'period',
    help: 'seconds from one peak to the next',
  },
  periods: { default: defaultWave.periods, min: 1, max: 1_000, help: 'how many periods' },
  'rps-limit': {
    default: 50,
    min: 1,
    max: 10_000,
    formerly: 'limit',
    help: "direct mode: the server's --rps-limit",
  },
  'drain-rate': {
    default: 0,
    min: 0,
    max: 10_000,
    help: "queue mode: the server's --drain-rate; 0: no limit",
  },
  'settle-s': {
    default: 30,
    min: 0,
    max: 3_600,
    formerly: 'settle',
    help: 'seconds to wait for the last order',
  },
} as const satisfies Record<string, NumberFlag | TextFlag>;

/** @throws OperatorFault one line that names the option and what it takes */
export function parseWaveOptions(
  args: readonly string[],
  warn: (line: string) => void,
): WaveOptions {
  const given = readFlags('wave', flags, args, warn);
  const wave: Wave = {
    minRps: given['rate-min'],
    maxRps: given['rate-max'],
    periodS: given['period-s'],
    periods: given.periods,
  };
  checkWave(wave);
  return {
    wave,
    mode: given.mode as Mode,
    url: checkedUrl('url', given.url),
    path: checkedPath('wave', given.path),
    body: readBody('wave', given.body),
    bodyFile: given.body,
    adminUrl: given['admin-url'] === 'none' ? null : checkedUrl('admin-url', given['admin-url']),
    adminToken: clientToken(given['admin-token-file']),
    rpsLimit: given['rps-limit'],
    drainRate: given['drain-rate'],
    settleS: given['settle-s'],
  };
}

/** How long a server may take to process what it accepted. */
export function settleMsMax({
  wave,
  drainRate,
  settleS,
}: Pick<WaveOptions, 'wave' | 'drainRate' | 'settleS'>): number {
  const drainS = drainRate > 0 ? expectedArrivals(wave) / drainRate : 0;
  return (drainS + settleS) * 1000;
}

/** What `forebay wave --help` prints. */
export function waveHelp(): string {
  return `forebay wave [options]: send a sine wave of orders to a server, and check it

Options
${flagLines(flags).join('\n')}

Examples
  forebay wave --drain-rate 60             for forebay serve --drain-rate 60
  forebay wave --mode direct               for forebay serve --mode direct
  forebay wave --period-s 10 --periods 1   a short wave
  forebay wave --path /in --body order.json   for serve --path /in --schema FILE

Exit codes
  0  every check passed
  1  a check failed, or the server's metrics cannot be read
  2  an option is wrong
`;
}

function checkedUrl(name: 'url' | 'admin-url', text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === 'http:') return text.replace(/\/+$/, '');
  throw flagFault('wave', `--${name} ${text}: must be a URL such as ${flags[name].default}`);
}

function checkWave({ minRps, maxRps, periodS, periods }: Wave): void {
  if (minRps > maxRps) {
    throw flagFault('wave', `--rate-min ${minRps}: must be at most --rate-max (${maxRps})`);
  }
  const arrivals = ((minRps + maxRps) / 2) * periodS * periods;
  if (arrivals > ARRIVALS_MAX) {
    throw flagFault(
      'wave',
      `a wave of ${Math.round(arrivals)} requests: must be at most ${ARRIVALS_MAX}`,
    );
  }
}
