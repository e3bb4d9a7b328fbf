import type { LogLevel } from '../model/options.js';
import type { ToldError } from './thrown.js';

/** A line as it is written in JSON. */
interface LogLine {
  readonly level: LogLevel;
  /** ISO 8601, in UTC. */
  readonly time: string;
  readonly event: string;
  readonly msg: string;
  readonly err?: ToldError;
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

function errorText(error: ToldError | undefined): string {
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
