import type { Options } from '../../src/model/options.js';
import { loadWithOrigins } from '../../src/options/load.js';
import { flagFault, flagLines, type NumberFlag, readFlags, type TextFlag } from '../flags.js';

export interface ProveOptions {
  /** How often the server is killed. */
  readonly rounds: number;
  /** Seconds from one kill to the next, about. */
  readonly roundS: number;
  /** Orders a second. */
  readonly rate: number;
  /** The folder for index.html and prove.json. */
  readonly out: string;
  /** As `serve` would read them. */
  readonly server: Options;
  /** Those that were set, and not by default. */
  readonly given: ReadonlySet<keyof Options>;
}

/** A run is held in memory. */
const ORDERS_MAX = 5_000_000;

const flags = {
  rounds: { default: 10, min: 1, max: 1000, isWhole: true, help: 'how often the server is killed' },
  'round-s': { default: 4, min: 1, max: 600, help: 'seconds of load in each round' },
  rate: { default: 500, min: 1, max: 20_000, isWhole: true, help: 'orders a second' },
  out: { default: 'prove', help: 'folder for index.html and prove.json' },
} as const satisfies Record<string, NumberFlag | TextFlag>;

/** @throws OperatorFault one line that names the option and what it takes */
export function parseProveOptions(args: readonly string[], env: NodeJS.ProcessEnv): ProveOptions {
  const { own, ofServer } = separated(args);
  const { rounds, 'round-s': roundS, rate, out } = readFlags('prove', flags, own, () => {});
  if (out === '') throw flagFault('prove', '--out: must be the name of a folder');
  if (rounds * roundS * rate > ORDERS_MAX) {
    throw flagFault('prove', `${rounds * roundS * rate} orders: must be at most ${ORDERS_MAX}`);
  }
  const { options: server, given } = loadWithOrigins(ofServer, env);
  if (server.mode === 'direct') {
    const fix = 'leave --mode out, to prove the queue';
    throw flagFault('prove', `--mode direct keeps no orders that a crash could lose; fix: ${fix}`);
  }
  return { rounds, roundS, rate, out, server, given: new Set(given.keys()) };
}

/** Own flags and their values, and all others. */
function separated(args: readonly string[]): { own: string[]; ofServer: string[] } {
  const own: string[] = [];
  const ofServer: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const name = /^--([a-z-]+)/.exec(args[i]!)?.[1] ?? '';
    const isOwn = Object.hasOwn(flags, name);
    (isOwn ? own : ofServer).push(args[i]!);
    if (isOwn && !args[i]!.includes('=') && i + 1 < args.length) own.push(args[++i]!);
  }
  return { own, ofServer };
}

/** What `forebay prove --help` prints. */
export function proveHelp(): string {
  return `forebay prove [options] [serve options]: does your disk keep its promises?

Starts a server with your options, sends it orders, and kills it with SIGKILL,
again and again. Then compares every answer with every order that was processed.
Give it the options of serve, or --config FILE: it takes your disk (--data) and
your NATS (--nats), but a folder and a stream of its own, which it removes.
Writes index.html, which needs no network, and prove.json.

Options
${flagLines(flags).join('\n')}

Examples
  forebay prove --data /var/lib/forebay
  forebay prove --config /etc/forebay.json --rounds 100
  forebay prove --nats nats://127.0.0.1:4222 --nats-replicas 3

Exit codes
  0    no order was lost or doubled, and every check held
  1    a check failed, which the page names; or nothing could be measured
  2    an option is wrong
  130  stopped by Ctrl-C
`;
}
