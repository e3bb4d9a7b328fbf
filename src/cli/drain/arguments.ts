import { DRAIN_RATE_MAX } from '../../model/drain-control.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { quote } from '../../options/sources.js';

/** A member that is left out stays as it is. */
export interface DrainRequest {
  readonly rate?: number | 'schedule';
  readonly pause?: string | null;
  readonly json: boolean;
  /** Options of the server, for a server that it cannot find. */
  readonly rest: readonly string[];
}

const VALUED = ['--rate', '--pause'] as const;

/** @throws OperatorFault an argument is wrong */
export function parseDrain(argv: readonly string[]): DrainRequest {
  const given = new Map<string, string>();
  const rest: string[] = [];
  let isResumed = false;
  let json = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    const flag = VALUED.find((name) => word === name || word.startsWith(`${name}=`));
    if (flag !== undefined) {
      const value = word === flag ? argv[++i] : word.slice(flag.length + 1);
      if (given.has(flag)) throw usage(`${flag}: given twice`);
      given.set(flag, required(flag, value));
    } else if (word === '--resume') isResumed = true;
    else if (word === '--json') json = true;
    else rest.push(word);
  }
  const [rate, why] = [given.get('--rate'), given.get('--pause')];
  if (isResumed && why !== undefined) throw usage('--pause and --resume exclude each other');
  const pause = isResumed ? { pause: null } : why === undefined ? {} : { pause: why };
  return { ...(rate === undefined ? {} : { rate: rateOf(rate) }), ...pause, json, rest };
}

function required(flag: string, value: string | undefined): string {
  // A reason may begin with a hyphen, but then the flag after it was probably meant.
  if (value !== undefined && value.trim() !== '' && !value.startsWith('--')) return value;
  throw usage(
    flag === '--pause'
      ? '--pause: needs a reason, such as --pause "database is full"'
      : '--rate: needs orders per second, or schedule',
  );
}

function rateOf(text: string): number | 'schedule' {
  if (text === 'schedule') return text;
  const rate = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (rate <= DRAIN_RATE_MAX) return rate;
  const range = `a whole number from 0 (no limit) to ${DRAIN_RATE_MAX}, or schedule`;
  throw usage(`--rate ${quote(text)}: must be ${range}`);
}

function usage(message: string): OperatorFault {
  return new OperatorFault(`${message}; see forebay drain --help`, EXIT.usage);
}
