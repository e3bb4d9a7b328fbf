import { fullFormats } from 'ajv-formats/dist/formats.js';
import { type ByteDfa, matchEnd } from './byte-dfa.js';
import type { NotCompiledReason, PatternCompiler } from './compiler.js';
import {
  type ByteCheck,
  dateEnd,
  dateTimeEnd,
  isoDateTimeEnd,
  isoTimeEnd,
  timeEnd,
} from './date-time.js';

/** A function for what is not a table: see ByteCheck for its contract. */
export interface FormatFunction {
  readonly end: ByteCheck;
}

const FUNCTIONS: Readonly<Record<string, ByteCheck>> = {
  date: dateEnd,
  time: timeEnd,
  'date-time': dateTimeEnd,
  'iso-time': isoTimeEnd,
  'iso-date-time': isoDateTimeEnd,
};

/** The regular expressions of ajv-formats that it does not export, because a function uses them. A test compares the texts. */
const PRIVATE: Readonly<Record<string, RegExp>> = {
  uri: /^(?:[a-z][a-z0-9+\-.]*:)(?:\/?\/(?:(?:[a-z0-9\-._~!$&'()*+,;=:]|%[0-9a-f]{2})*@)?(?:\[(?:(?:(?:(?:[0-9a-f]{1,4}:){6}|::(?:[0-9a-f]{1,4}:){5}|(?:[0-9a-f]{1,4})?::(?:[0-9a-f]{1,4}:){4}|(?:(?:[0-9a-f]{1,4}:){0,1}[0-9a-f]{1,4})?::(?:[0-9a-f]{1,4}:){3}|(?:(?:[0-9a-f]{1,4}:){0,2}[0-9a-f]{1,4})?::(?:[0-9a-f]{1,4}:){2}|(?:(?:[0-9a-f]{1,4}:){0,3}[0-9a-f]{1,4})?::[0-9a-f]{1,4}:|(?:(?:[0-9a-f]{1,4}:){0,4}[0-9a-f]{1,4})?::)(?:[0-9a-f]{1,4}:[0-9a-f]{1,4}|(?:(?:25[0-5]|2[0-4]\d|[01]?\d\d?)\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d\d?))|(?:(?:[0-9a-f]{1,4}:){0,5}[0-9a-f]{1,4})?::[0-9a-f]{1,4}|(?:(?:[0-9a-f]{1,4}:){0,6}[0-9a-f]{1,4})?::)|[Vv][0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+)\]|(?:(?:25[0-5]|2[0-4]\d|[01]?\d\d?)\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d\d?)|(?:[a-z0-9\-._~!$&'()*+,;=]|%[0-9a-f]{2})*)(?::\d*)?(?:\/(?:[a-z0-9\-._~!$&'()*+,;=:@]|%[0-9a-f]{2})*)*|\/(?:(?:[a-z0-9\-._~!$&'()*+,;=:@]|%[0-9a-f]{2})+(?:\/(?:[a-z0-9\-._~!$&'()*+,;=:@]|%[0-9a-f]{2})*)*)?|(?:[a-z0-9\-._~!$&'()*+,;=:@]|%[0-9a-f]{2})+(?:\/(?:[a-z0-9\-._~!$&'()*+,;=:@]|%[0-9a-f]{2})*)*)(?:\?(?:[a-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9a-f]{2})*)?(?:#(?:[a-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9a-f]{2})*)?$/i,
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/m,
};

/** hostname of ajv-formats begins with this condition on the length, which would need a table of 16,000 states. */
const HOSTNAME_LENGTH = '(?=.{1,253}\\.?$)';
const HOSTNAME_BYTES_MAX = 253;
const DOT = 0x2e;

/**
 * A check with the verdicts of a format of ajv-formats (mode full) for strings, or the reason why there is none: ajv then
 * checks the value. `regex` and unknown formats have none. Formats for numbers are no matter of bytes.
 */
export function compileFormat(
  name: string,
  compiler: PatternCompiler,
): ByteDfa | FormatFunction | NotCompiledReason {
  const end = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (end !== undefined) return { end };
  const format = Object.hasOwn(fullFormats, name) ? fullFormats[name as 'uuid'] : undefined;
  if (format === true) return compiler.compile('');
  const regExp = Object.hasOwn(PRIVATE, name) ? PRIVATE[name] : format;
  if (!(regExp instanceof RegExp)) return { why: 'it is not a regular expression' };
  if (name === 'hostname') return compileHostname(regExp, compiler);
  return compiler.compile(regExp.source, regExp.flags);
}

function compileHostname(
  regExp: RegExp,
  compiler: PatternCompiler,
): FormatFunction | NotCompiledReason {
  const table = compiler.compile(regExp.source.replace(HOSTNAME_LENGTH, ''), regExp.flags);
  if ('why' in table) return table;
  return {
    end(bytes, at) {
      const end = matchEnd(table, bytes, at);
      // What the table accepts is ASCII. Before `end` come the quote and the last character.
      const length = end - 1 - at;
      const isShort = length <= HOSTNAME_BYTES_MAX + (bytes[end - 2] === DOT ? 1 : 0);
      return isShort ? end : -1;
    },
  };
}
