import type { Exchange, Reading } from '../../../k6/lib/limits.js';

/** Exact limiters on a machine that stutters, simulated: what a client and a reader of counters would see. */

export const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

export type Random = () => number;

/** Mulberry32: numbers from 0 to 1. */
export function randomOf(start: number): Random {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A process that does not run now and then: `runs` says when something due at a time is done. */
export class Stutter {
  readonly #random: Random;
  readonly #stallMsMax: number;
  #fromMs = 0;
  #untilMs = 0;

  constructor(random: Random, stallMsMax: number) {
    this.#random = random;
    this.#stallMsMax = stallMsMax;
  }

  /** @param atMs not before that of the call before */
  runs(atMs: number): number {
    while (atMs >= this.#untilMs) {
      this.#fromMs = this.#untilMs + this.#random() * 1500;
      this.#untilMs = this.#fromMs + this.#random() * this.#stallMsMax;
    }
    return atMs < this.#fromMs ? atMs : this.#untilMs;
  }
}

/** At most `limit` in any second, in order of time. */
export function admitter(limit: number, windowMs = 1000): (atMs: number) => boolean {
  const log: number[] = [];
  return (atMs) => {
    if (log.length >= limit && atMs - log[log.length - limit]! < windowMs) return false;
    log.push(atMs);
    return true;
  };
}

export interface Direct {
  readonly created: Exchange[];
  readonly refused: Exchange[];
}

/** Requests at an even rate, sent by a client and judged by a server, both of which stutter. */
export function directRun(
  random: Random,
  { limit, rps, lastsS, stallMsMax }: Record<'limit' | 'rps' | 'lastsS' | 'stallMsMax', number>,
): Direct {
  const [sender, server, receiver] = [0, 1, 2].map(() => new Stutter(random, stallMsMax));
  const admits = admitter(limit);
  const run: Direct = { created: [], refused: [] };
  let serverMs = 0;
  let answeredMs = 0;
  for (let i = 0; i < rps * lastsS; i++) {
    const sentMs = sender!.runs((i * 1000) / rps);
    serverMs = server!.runs(Math.max(serverMs, sentMs + random()));
    const isAdmitted = admits(serverMs);
    answeredMs = receiver!.runs(Math.max(answeredMs, serverMs + random() * 2));
    (isAdmitted ? run.created : run.refused).push({ sentMs, answeredMs });
  }
  return run;
}

/** Readings of a server that always has orders to process, at this drain rate; both it and the reader stutter. */
export function drainRun(
  random: Random,
  { rate, lastsS, stallMsMax }: Record<'rate' | 'lastsS' | 'stallMsMax', number>,
): Reading[] {
  const [server, reader] = [0, 1].map(() => new Stutter(random, stallMsMax));
  const [exact, smooth] = [admitter(rate), { orders: Math.ceil(rate / 20), nextMs: 0 }];
  const readings: Reading[] = [];
  let count = 0;
  let nextReadMs = 0;
  for (let dueMs = 0; dueMs < lastsS * 1000; dueMs += 1 + random()) {
    const nowMs = server!.runs(dueMs);
    if (nowMs >= smooth.nextMs) {
      for (let i = 0; i < smooth.orders && exact(nowMs); i++) count++;
      smooth.nextMs = nowMs + (smooth.orders / rate) * 1000;
    }
    if (nowMs >= nextReadMs) {
      readings.push({ atS: nowMs / 1000, count });
      nextReadMs = reader!.runs(Math.max(nextReadMs + 245, nowMs));
    }
    dueMs = Math.max(dueMs, nowMs);
  }
  return readings;
}
