const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** A whole number with all digits: 12,345. */
export function count(value: number): string {
  return whole.format(value);
}

/** A rate or a mean, with tenths below 10. */
export function amount(value: number): string {
  return Math.abs(value) < 10 ? tenths.format(value) : whole.format(value);
}

/** For axes: 1,500 but 20k and 1.5M. */
export function short(value: number): string {
  if (Math.abs(value) < 10_000) return tenths.format(value);
  if (Math.abs(value) < 1e6) return `${tenths.format(value / 1e3)}k`;
  return `${tenths.format(value / 1e6)}M`;
}

/** 0.4 ms, 25 ms, 1.5 s, 2 min 5 s, 3 h 20 min. */
export function duration(seconds: number): string {
  if (seconds === 0) return '0 s';
  if (seconds < 0.01) return `${tenths.format(seconds * 1e3)} ms`;
  if (seconds < 1) return `${whole.format(seconds * 1e3)} ms`;
  if (seconds < 10) return `${tenths.format(seconds)} s`;
  if (seconds < 59.5) return `${whole.format(seconds)} s`;
  return seconds < 3570 ? parts(seconds, 60, 'min', 's') : parts(seconds / 60, 60, 'h', 'min');
}

function parts(smaller: number, inLarger: number, larger: string, unit: string): string {
  const rounded = Math.round(smaller);
  const rest = rounded % inLarger;
  const most = `${whole.format(Math.floor(rounded / inLarger))} ${larger}`;
  return rest === 0 ? most : `${most} ${rest} ${unit}`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 512 B, 4.2 MiB, 118 GiB. */
export function bytes(value: number): string {
  let unit = 0;
  let scaled = value;
  // What would be rounded to 1,024 of a unit is shown as 1 of the next.
  while (scaled >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 ? whole.format(scaled) : amount(scaled)} ${BYTE_UNITS[unit]}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** The time of day in the viewer's time zone. */
export function clock(epochMs: number, withSeconds = true): string {
  const date = new Date(epochMs);
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}

/** The same, with the date unless it is today. */
export function moment(epochMs: number, withSeconds = true): string {
  const date = new Date(epochMs);
  if (date.toDateString() === new Date().toDateString()) return clock(epochMs, withSeconds);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clock(epochMs, false)}`;
}

/** A dash for null: a second without events has no such value. */
export function orDash(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}
