/** Numbers and text as the page shows them. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const NARROW_SPACE = '\u202f';

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

/** `4,000`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Three digits that count: `0.42`, `7.1`, `128`. A dash where there is nothing. */
export function short(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && size < 0.995) return value.toFixed(2);
  return size < 99.95 ? value.toFixed(1) : whole(value);
}

export function ms(value: number | null): string {
  return `${short(value)}${NARROW_SPACE}ms`;
}

export function seconds(value: number | null): string {
  return `${short(value)}${NARROW_SPACE}s`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}${NARROW_SPACE}%`;
}

/** Of a whole that may be nothing. */
export function share(part: number, of: number): number {
  return of > 0 ? part / of : 0;
}
