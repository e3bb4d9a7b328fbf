import { statSync } from 'node:fs';
import type { Log } from '../model/log.js';
import { WatchedFile } from './watched-file.js';

/** Old and new tokens of a rotation, and one for each client that shall have its own. */
const TOKENS_MAX = 16;
/** Of random characters, too many to guess. */
const CHARS_MIN = 16;
const CHARS_MAX = 512;
/** What a header can carry as it is. */
const VISIBLE_ASCII = /^[!-~]+$/;
const FLAG = '--admin-token-file';
const MAKE_ONE = '(umask 077; openssl rand -hex 32 > FILE) makes a token';
/** Read, write and run, of users who are neither the owner nor in the group. */
const OTHER_USERS = 0o007;

/**
 * One token in each line. Empty lines and lines that begin with `#` do not count; white space around a token neither.
 *
 * @throws Error says what is wrong in which line, without the token
 */
export function parseTokenFile(text: string): string[] {
  const tokens: string[] = [];
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const token = raw.trim();
    if (token === '' || token.startsWith('#')) continue;
    const line = index + 1;
    if (!VISIBLE_ASCII.test(token)) {
      throw new Error(`line ${line}: a token has only visible ASCII characters, and no spaces`);
    }
    if (token.length < CHARS_MIN || token.length > CHARS_MAX) {
      throw new Error(`line ${line}: a token has ${CHARS_MIN} to ${CHARS_MAX} characters`);
    }
    tokens.push(token);
    if (tokens.length > TOKENS_MAX) throw new Error(`it has more than ${TOKENS_MAX} tokens`);
  }
  if (tokens.length === 0) throw new Error('it has no token');
  return tokens;
}

/**
 * The tokens in force, the first line first.
 *
 * @throws OperatorFault the file cannot be read, or used
 */
export function openAdminTokens(file: string, log: Log): WatchedFile<string[]> {
  return new WatchedFile(
    {
      flag: FLAG,
      file,
      parse: parseTokenFile,
      fix: MAKE_ONE,
      renewed: 'admin-token-renewed',
      refused: 'admin-token-refused',
    },
    log,
  );
}

/**
 * The token that a client of the same operator sends: the first of the file.
 *
 * @returns null without a file
 * @throws OperatorFault the file cannot be read, or used
 */
export function clientToken(file: string): string | null {
  return file === '' ? null : openAdminTokens(file, () => {}).value[0]!;
}

/** What is wrong with who may read the file, and the fix; null if nothing is. Windows has other rules. */
export function exposedTokens(
  file: string,
  platform: NodeJS.Platform = process.platform,
): { readonly problem: string; readonly fix: string } | null {
  if (platform === 'win32' || (statSync(file).mode & OTHER_USERS) === 0) return null;
  const problem = `${FLAG} ${file}: every user of this machine can read the tokens`;
  return { problem, fix: `chmod 600 ${file}` };
}

/** What the admin server shows without a token, if more than this machine can reach it, and the fix. */
export function openAdminText(adminHost: string): string {
  return `--admin-host ${adminHost}: everybody who reaches the admin port can read the live page and /metrics; fix: --admin-token-file FILE with a token, or --admin-host 127.0.0.1`;
}
