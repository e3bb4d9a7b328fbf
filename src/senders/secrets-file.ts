/** Old and new secrets of a rotation, and some to spare: each costs an HMAC of every body that no secret before has signed. */
const SECRETS_MAX = 16;
const SECRET_CHARS_MAX = 1024;

/**
 * One secret in each line. Empty lines and lines that begin with `#` do not count; white space around a secret neither.
 *
 * @param keyOf the key that a secret stands for, by the signature scheme; null if it cannot be a secret of it
 * @throws Error says what is wrong in which line, without the secret
 */
export function parseSecretsFile(text: string, keyOf: (secret: string) => Buffer | null): Buffer[] {
  const keys: Buffer[] = [];
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const secret = raw.trim();
    if (secret === '' || secret.startsWith('#')) continue;
    if (secret.length > SECRET_CHARS_MAX) {
      throw new Error(`line ${index + 1} has more than ${SECRET_CHARS_MAX} characters`);
    }
    const key = keyOf(secret);
    if (key === null) throw new Error(`line ${index + 1} is not a secret of this scheme`);
    keys.push(key);
    if (keys.length > SECRETS_MAX) throw new Error(`it has more than ${SECRETS_MAX} secrets`);
  }
  if (keys.length === 0) throw new Error('it has no secret');
  return keys;
}
