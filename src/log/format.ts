import type { LogLevel } from '../model/options.js';

/** A line as it is written in JSON. */
interface LogLine {
  readonly level: LogLevel;
  /** ISO 8601, in UTC. */
  readonly time: string;
  readonly event: string;
  readonly msg: string;
  readonly err?: LoggedError;
}

/** SGR codes of terminals (ECMA-48): 2 faint, 31 red, 33 yellow, 36 cyan. */
const FAINT = 2;
const COLOURS: Readonly<Partial<Record<LogLevel, number>>> = {
  info: 36,
  warn: 33,
  error: 31,
  fatal: 31,
};
const LEVEL_COLUMNS = 5;

/** One JSON line of the log for people to read: time of day here, level, event, text, what else is known. */
export function prettyLine(json: string, hasColours: boolean): string {
  const { level, time, event, msg, err, ...fields } = JSON.parse(json) as LogLine;
  const paint = (code: number | undefined, text: string) =>
    hasColours && code !== undefined && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text;
  const facts = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const clock = new Date(time).toTimeString().slice(0, 8);
  const head = [
    paint(FAINT, clock),
    paint(COLOURS[level], level.padEnd(LEVEL_COLUMNS)),
    paint(FAINT, event),
    printable(msg),
  ];
  return `${head.join(' ')}${paint(FAINT, printable(facts.join('')))}${errorText(err)}\n`;
}

function errorText(error: LoggedError | undefined): string {
  if (error === undefined) return '';
  const { type, code, message, stack } = error;
  const head = [type, code, message].filter((part) => part !== undefined).join(' ');
  return [head, ...stack.split('\n').filter(Boolean)]
    .map((line, i) => `\n${' '.repeat(i === 0 ? 2 : 4)}${printable(line)}`)
    .join('');
}

/** A server's message may hold what a terminal would obey. */
function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Beyond it a stack tells no more about where. */
const PLACES_MAX = 10;

/** An error as it stands in the log. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly message?: string;
  /** Places in the code, the innermost first, a line each. */
  readonly stack: string;
}

/** An error for the log. Where its message may hold what a client sent, it is left out: kind and places tell where. */
export function loggedError(error: Error, hasMessage: boolean): LoggedError {
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.constructor.name,
    ...(typeof code === 'string' ? { code } : {}),
    // V8 quotes the text that is no JSON.
    ...(hasMessage && !(error instanceof SyntaxError) ? { message: error.message } : {}),
    stack: placesOf(error).join('\n'),
  };
}

/** What a handler threw, and where, in one line without its message. */
export function whereThrown(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a ${typeof thrown}`;
  return [thrown.constructor.name, ...placesOf(thrown).slice(0, 1)].join(' ');
}

/** A message can have several lines, and they can look like places: so it is cut off first. */
function placesOf({ message, stack = '' }: Error): string[] {
  const start = stack.indexOf(message);
  if (start === -1) return [];
  const rest = stack.slice(start + message.length).split('\n');
  return rest
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .slice(0, PLACES_MAX);
}
