import type { ScheduledRate, Slot } from './schedule.js';

/** `200/s`, `no limit`, `paused`. */
export function rateText(rate: ScheduledRate): string {
  if (rate === 'paused') return rate;
  return rate === 0 ? 'no limit' : `${rate}/s`;
}

/** Where the rate of the slot stands in the file of --drain-schedule. */
export function originText({ window }: Slot): string {
  return window === null ? 'default' : `line ${window.line}`;
}

/** An instant as the clocks of the zone show it: `Sun 2026-11-29 02:00`. */
export function clockText(atMs: number, zone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type)!;
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  return `${part('weekday')} ${date} ${part('hour')}:${part('minute')}`;
}
