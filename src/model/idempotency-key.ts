import { createHash } from 'node:crypto';

/** Longest idempotency key; characters. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 64;
/** Stands for the key of an order whose key is in its body. No key has a space. */
export const KEY_IN_BODY = ' ';

/** Visible ASCII: `!` to `~`. */
const KEY_CHAR_MIN = 0x21;
const KEY_CHAR_MAX = 0x7e;

/** Whether this can be an idempotency key: 1 to 64 visible ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  if (text.length === 0 || text.length > IDEMPOTENCY_KEY_CHARS_MAX) return false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char < KEY_CHAR_MIN || char > KEY_CHAR_MAX) return false;
  }
  return true;
}

/** How keys begin that stand for another text: no text may pass for them. */
export const DERIVED = { hash: 'sha256:', integer: 'int:' } as const;

type KeyEncoding = 'utf8' | 'latin1' | 'utf16le';

/**
 * The idempotency key for an id of a sender, such as that of an event: the id itself if it can be a key, otherwise
 * `sha256:` and the SHA-256 of its bytes in base64url. Different ids have different keys.
 *
 * @param encoding of `id`: `latin1` has a character for each byte, and `utf16le` can hold half a surrogate pair
 */
export function keyForId(id: string, encoding: KeyEncoding): string {
  const isDerived = id.startsWith(DERIVED.hash) || id.startsWith(DERIVED.integer);
  return isIdempotencyKey(id) && !isDerived ? id : hashedKey(id, encoding);
}

/** The key under which an order is known: the same key of another owner is another one. @param owner empty for all */
export function keyOfOwner(owner: string, key: string): string {
  // A name of an owner has no space.
  return owner === '' ? key : hashedKey(`${owner} ${key}`, 'latin1');
}

export function hashedKey(text: string, encoding: KeyEncoding): string {
  return `${DERIVED.hash}${createHash('sha256').update(text, encoding).digest('base64url')}`;
}
