import type { LogLevel } from '../model/options.js';

/** A log line in JSON. */
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

/** Formats a JSON log line for reading: local time, level, event, message, fields. */
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

/** Escapes control characters: a message from a server may contain terminal commands. */
function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Stack frames that are logged. */
const STACK_FRAMES_MAX = 10;

/** An error as logged. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly message?: string;
  /** Stack frames, innermost first, one per line. */
  readonly stack: string;
}

/** An error as logged. `hasMessage` is false if the message may contain what a client sent. */
export function loggedError(error: Error, hasMessage: boolean): LoggedError {
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.constructor.name,
    ...(typeof code === 'string' ? { code } : {}),
    // A SyntaxError of JSON.parse quotes the text.
    ...(hasMessage && !(error instanceof SyntaxError) ? { message: error.message } : {}),
    stack: stackFrames(error).join('\n'),
  };
}

/** Class and innermost stack frame of what a handler threw, in one line without its message. */
export function whereThrown(thrown: unknown): string {
  if (!(thrown instanceof Error))
    return `a value of type ${thrown === null ? 'null' : typeof thrown}`;
  return [thrown.constructor.name, ...stackFrames(thrown).slice(0, 1)].join(' ');
}

/** Cuts off the message first, because it may have lines that look like stack frames. */
function stackFrames({ message, stack = '' }: Error): string[] {
  const start = stack.indexOf(message);
  if (start === -1) return [];
  const rest = stack.slice(start + message.length).split('\n');
  return rest
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .slice(0, STACK_FRAMES_MAX);
}
