/** Numbers and text as the page shows them. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const NOTHING = '–';
const NARROW_SPACE = '\u202f';

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

/** `4,000`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Up to three significant digits: `0.42`, `7.1`, `128`. A dash for null. */
export function short(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.005) return value.toPrecision(1);
  if (size < 0.995) return value.toFixed(2);
  return size < 99.95 ? value.toFixed(1) : whole(value);
}

/** A rate as the checks show it: whole, or with up to two decimals where it was seen over several seconds. */
export function perSecond(rate: number): string {
  return String(Math.round(rate * 100) / 100);
}

export function ms(value: number | null): string {
  return withUnit(value, 'ms');
}

export function seconds(value: number | null): string {
  return withUnit(value, 's');
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}${NARROW_SPACE}%`;
}

function withUnit(value: number | null, unit: string): string {
  const text = short(value);
  return text === NOTHING ? text : `${text}${NARROW_SPACE}${unit}`;
}

/** 0 when the whole is 0. */
export function share(part: number, of: number): number {
  return of > 0 ? part / of : 0;
}
