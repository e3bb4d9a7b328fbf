/** Crockford's base 32, the alphabet of ULID: sorts as it counts, has no look-alikes. */
export const FRAME_ID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A frame id begins with so many characters that tell when it was made. */
const TIME_CHARS = 10;

/** What the ids of frames made in that millisecond begin with, and so a string that sorts before them. */
export function frameTime(epochMs: number): string {
  return base32(epochMs, TIME_CHARS);
}

/** When the frame was made, epoch milliseconds; NaN when `frameId` does not begin with a time. */
export function frameTimeMs(frameId: string): number {
  let value = 0;
  for (let i = 0; i < TIME_CHARS; i++) {
    const digit = FRAME_ID_ALPHABET.indexOf(frameId[i] ?? '-');
    if (digit < 0) return Number.NaN;
    value = value * 32 + digit;
  }
  return value;
}

/** A whole number of up to 53 bits in so many characters, padded with zeros. */
export function base32(value: number, chars: number): string {
  let text = '';
  for (let i = 0; i < chars; i++) {
    text = FRAME_ID_ALPHABET[value % 32] + text;
    value = Math.floor(value / 32);
  }
  return text;
}
