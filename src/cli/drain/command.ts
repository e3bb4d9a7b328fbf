/** `forebay drain`: shows and sets rate and pause of the servers that share a journal. */
import { hostname, userInfo } from 'node:os';
import type { DrainView, InstanceView } from '../../model/drain-view.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { type AdminAnswer, askAdmin, findAdmin } from '../admin-client.js';
import { parseDrain } from './arguments.js';

/** A change is kept in the journal before it is answered. */
const ANSWER_MS_MAX = 10_000;
const PATH = '/drain';

/**
 * Prints the state of the drain, after the change if there is one.
 *
 * @throws OperatorFault an argument is wrong, or the server does not answer or refuses
 */
export async function run(argv: readonly string[]): Promise<number> {
  const { rate, pause, json, rest } = parseDrain(argv);
  const change = {
    ...(rate === undefined ? {} : { rate }),
    ...(pause === undefined ? {} : { pause }),
  };
  const isChange = Object.keys(change).length > 0;
  const answer = await askAdmin(findAdmin('drain', rest, true), {
    method: isChange ? 'PUT' : 'GET',
    path: PATH,
    body: isChange ? JSON.stringify({ ...change, by: whoAmI() }) : '',
    msMax: ANSWER_MS_MAX,
  });
  const view = viewOf(answer);
  process.stdout.write(json ? `${JSON.stringify(view)}\n` : textOf(view));
  return EXIT.ok;
}

/** @throws OperatorFault the server refused, or is none */
function viewOf({ status, text }: AdminAnswer): DrainView {
  const answer = parsed(text) as Partial<DrainView> & { readonly reason?: string };
  if (status === 200 && answer.by !== undefined) return answer as DrainView;
  const why =
    status === 401
      ? 'it asks for a token that is not the first of the file; fix: give drain the --admin-token-file of the server'
      : (answer.reason ?? 'it is no Forebay with a drain control');
  const isOwnFault = status === 400;
  throw new OperatorFault(
    `drain: the server answers ${status}: ${why}`,
    isOwnFault ? EXIT.usage : EXIT.failed,
  );
}

/** Empty if it is no JSON object. */
function parsed(text: string): object {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}

/** `user@host`, for the others who look at the setting. */
function whoAmI(): string {
  return `${userName()}@${hostname()}`;
}

/** A container may run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function textOf(view: DrainView): string {
  const { rate, followsSchedule, pause, by, at, scheduled, backlog, doneAt, instances } = view;
  const origin = followsSchedule ? ', by the schedule' : '';
  const isDueShown = doneAt !== null && backlog !== 0;
  const lines = [
    ['rate', `${rateText(rate)}${origin}`],
    ['paused', pause ?? 'no'],
    ['set by', `${by} at ${at}`],
    ...(scheduled === null
      ? []
      : [['schedule', `${rateText(scheduled.rate)} until ${scheduled.until}`]]),
    ...(backlog === null
      ? []
      : [['backlog', `${backlog} orders${isDueShown ? `, done at ${doneAt}` : ''}`]]),
    ...instances.map((instance, i) => [i === 0 ? 'instances' : '', instanceText(instance)]),
  ];
  return `${lines.map(([name, text]) => `${name!.padEnd(11)}${text}`).join('\n')}\n`;
}

function rateText(rate: number | 'paused'): string {
  if (rate === 'paused') return rate;
  return rate === 0 ? 'no limit' : `${rate} orders/s`;
}

function instanceText({ host, pid, share, isSelf }: InstanceView): string {
  const self = isSelf ? ' (this server)' : '';
  return `${host}, process ${pid}: ${share === null ? 'no limit' : `${share} orders/s`}${self}`;
}

/** What `forebay drain --help` prints. */
export function help(): string {
  return `forebay drain [--rate N] [--pause WHY] [--resume] [serve options]

Shows how fast orders are processed, and changes it while the server runs. A
change applies within a second to all servers that share the journal, and is
kept over restarts. Without serve options it finds the server that runs from
the same installation, and takes the admin port and the file of
--admin-token-file from the options that this server has.

Options
  --rate N         most orders started in any second, all servers together;
                   0 is no limit
  --rate schedule  the rate follows --drain-schedule again
  --pause WHY      process nothing until --resume; orders are still accepted,
                   except in direct mode
  --resume         go on
  --json           print the answer of the server
  all options of   forebay serve --help, for a server that it cannot find

Examples
  forebay drain
  forebay drain --rate 200
  forebay drain --pause "the database is being moved"
  forebay drain --resume --rate 50
  forebay drain --admin-host ops-1 --admin-token-file /etc/forebay/token

Exit codes
  0  the state is printed, and a change is in force
  1  the server does not answer, refuses, or cannot keep the change
  2  an argument is wrong
`;
}
