import { createHash, randomBytes } from 'node:crypto';
import { WINDOW_LIMIT_MAX } from '../memory/window-ring.js';

/** One line of the file of `--api-keys`. */
export interface KeyLine {
  /** Who sends with this key. Several keys may have the same name. */
  readonly name: string;
  /** SHA-256 of the key; 64 hexadecimal digits in lower case. */
  readonly sha256: string;
  /** Most requests of the name in any second; 0 is no limit. */
  readonly rps: number;
}

const KEYS_MAX = 1000;
/** All windows together: 8 bytes of memory for each. */
const KEYS_RPS_SUM_MAX = 4_000_000;
export const KEY_NAME_TEXT =
  '1 to 64 letters, digits, dots, hyphens and underscores, beginning with a letter or digit';

/** Stands in the metrics for names beyond the limit of labels. */
export const OTHER_NAMES = 'other';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SHA256 = /^[0-9A-Fa-f]{64}$/;
const RPS = /^rps=(\d{1,7})$/;

export function isKeyName(text: string): boolean {
  return NAME.test(text) && text !== OTHER_NAMES;
}

/**
 * Lines of a name, the SHA-256 of a key and optionally `rps=N`. Empty lines and lines that begin with `#` do not count.
 *
 * @throws Error says what is wrong in which line; it quotes nothing, because a line may hold a key by mistake
 */
export function parseKeyFile(text: string): KeyLine[] {
  const keys: KeyLine[] = [];
  const lineOfKey = new Map<string, number>();
  const firstOfName = new Map<string, { readonly line: number; readonly rps: number }>();
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const words = raw.trim().split(/\s+/);
    if (words[0] === '' || words[0]!.startsWith('#')) continue;
    const line = index + 1;
    const key = parseLine(words, line);
    const same = lineOfKey.get(key.sha256);
    if (same !== undefined) throw new Error(`line ${line} has the same key as line ${same}`);
    lineOfKey.set(key.sha256, line);
    const first = firstOfName.get(key.name);
    if (first === undefined) firstOfName.set(key.name, { line, rps: key.rps });
    else if (first.rps !== key.rps) {
      throw new Error(`line ${line} has the name of line ${first.line} and another rps`);
    }
    keys.push(key);
    if (keys.length > KEYS_MAX) throw new Error(`it has more than ${KEYS_MAX} keys`);
  }
  if (keys.length === 0) throw new Error('it has no key');
  const sum = [...firstOfName.values()].reduce((all, { rps }) => all + rps, 0);
  if (sum > KEYS_RPS_SUM_MAX) {
    throw new Error(`the rps of all names together are more than ${KEYS_RPS_SUM_MAX}`);
  }
  return keys;
}

function parseLine([name, sha256, rps, ...rest]: readonly string[], line: number): KeyLine {
  if (!isKeyName(name!)) {
    const reserved = name === OTHER_NAMES ? ` and not ${OTHER_NAMES}` : '';
    throw new Error(`line ${line}: the name must be ${KEY_NAME_TEXT}${reserved}`);
  }
  if (sha256 === undefined || !SHA256.test(sha256)) {
    throw new Error(
      `line ${line}: the name must be followed by the SHA-256 of the key, 64 hexadecimal digits`,
    );
  }
  const limit = rps === undefined ? 0 : Number(RPS.exec(rps)?.[1] ?? Number.NaN);
  const isLimit = rps === undefined || (limit >= 1 && limit <= WINDOW_LIMIT_MAX);
  if (!isLimit || rest.length > 0) {
    throw new Error(
      `line ${line}: after the SHA-256 only rps=N may follow, N from 1 to ${WINDOW_LIMIT_MAX}`,
    );
  }
  return { name: name!, sha256: sha256.toLowerCase(), rps: limit };
}

/** As `parseKeyFile` reads it. */
export function keyLine({ name, sha256, rps }: KeyLine): string {
  return rps === 0 ? `${name} ${sha256}` : `${name} ${sha256} rps=${rps}`;
}

/** So that a key is recognized where it does not belong, for example in a log. */
export const KEY_PREFIX = 'fbk_';
const KEY_BYTES = 32;

/** A new key: 256 random bits. */
export function newKey(): string {
  return `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/** SHA-256 of a key, in hexadecimal. */
export function sha256Of(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
