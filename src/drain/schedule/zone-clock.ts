const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** How far ahead a change of the offset is looked for at once. */
const AHEAD_DAYS = 60;

/** A stretch of time in which a zone has one offset. */
interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}

const STRETCHES_MAX = 16;

/** `GMT`, `GMT-03:30`, in old times with seconds. */
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/**
 * The wall clock of a time zone, by the zone data of Node.js (ICU). The offset is what `Intl` says of each instant, so
 * every rule of the zone holds, such as the half hour of Lord Howe Island.
 */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  #stretches: Stretch[] = [];

  /** @throws RangeError the zone is not known */
  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  }

  /** What to add to an instant (epoch milliseconds) to get the time that the clock shows. */
  offsetMs(atMs: number): number {
    return this.stretch(atMs).offsetMs;
  }

  /** A stretch that `atMs` is in. It can end where the offset stays the same, but not later than where it changes. */
  stretch(atMs: number): Stretch {
    const known = this.#stretches.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
    if (known !== undefined) return known;
    const found = this.#find(atMs);
    this.#stretches.push(found);
    if (this.#stretches.length > STRETCHES_MAX) this.#stretches.shift();
    return found;
  }

  #find(atMs: number): Stretch {
    const fromMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    const offsetMs = this.#ask(fromMs);
    let sameMs = fromMs;
    for (let day = 1; day <= AHEAD_DAYS; day++) {
      const nextMs = fromMs + day * DAY_MS;
      if (this.#ask(nextMs) !== offsetMs) {
        return { fromMs, toMs: this.#changeBetween(sameMs, nextMs, offsetMs), offsetMs };
      }
      sameMs = nextMs;
    }
    return { fromMs, toMs: sameMs, offsetMs };
  }

  /** Offsets change at full minutes. */
  #changeBetween(sameMs: number, otherMs: number, offsetMs: number): number {
    while (otherMs - sameMs > MINUTE_MS) {
      const halfMs = sameMs + Math.floor((otherMs - sameMs) / MINUTE_MS / 2) * MINUTE_MS;
      if (this.#ask(halfMs) === offsetMs) sameMs = halfMs;
      else otherMs = halfMs;
    }
    return otherMs;
  }

  #ask(atMs: number): number {
    const [, sign, hours, minutes, seconds] = OFFSET.exec(this.#format.format(atMs)) ?? [];
    const total = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
    return (sign === '-' ? -total : total) * 1000;
  }
}
