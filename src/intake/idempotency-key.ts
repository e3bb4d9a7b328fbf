import { IDEMPOTENCY_KEY_CHARS_MAX } from '../model/stages.js';

/** The visible ones of ASCII: `!` to `~`. */
const FIRST_CHAR = 0x21;
const LAST_CHAR = 0x7e;

/** Whether the value of an `Idempotency-Key` header is one: 1 to 64 visible ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  if (text.length === 0 || text.length > IDEMPOTENCY_KEY_CHARS_MAX) return false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char < FIRST_CHAR || char > LAST_CHAR) return false;
  }
  return true;
}
