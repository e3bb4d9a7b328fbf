import {
  boundsOfExchanges,
  boundsOfReadings,
  countBySecond,
  mostInASecond,
  refusedWithRoom,
  watchPeakRate,
} from '../../k6/lib/limits.js';
import { arrivalsBefore, durationS, shareAbove } from '../../k6/lib/sine.js';
import type { Driven, Exchange } from './drive.js';
import type { WaveOptions } from './options.js';
import type { Watched } from './server-watch.js';

/** One thing that the run had to show. */
export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/**
 * One second of the run, counted from time 0 of the wave. A request counts in the second in which it was sent; at the
 * limit, a 200 counts in the next one if it had no answer yet.
 */
export interface Second {
  /** Requests that the sine asks for. */
  readonly due: number;
  readonly created: number;
  readonly refused: number;
  readonly other: number;
  /** Orders admitted to the handler. In direct mode the 200s: each was processed before its answer. */
  readonly processed: number;
  /** At the end of the second, as are the two below. */
  readonly pendingOrders: number;
  readonly oldestAgeS: number;
}

/** What a run showed. The verdicts are made from the seconds, so that they agree. */
export interface Judged {
  readonly seconds: readonly Second[];
  /** The most in one second, wherever it begins: 200s in direct mode, else orders admitted to the handler. */
  readonly peakPerSecond: number;
  readonly verdicts: readonly Verdict[];
}

/**
 * How far the share of 500s may be from the sine's, which only shows that the load was the wave: the limit itself is judged
 * without a tolerance. Requests that took longer than this add their share: the machine stalled, and they came in bursts.
 */
const SHARE_TOLERANCE = 0.1;
const STALL_MS = 100;

type Target = Pick<WaveOptions, 'mode' | 'wave' | 'rpsLimit' | 'drainRate'>;

/** @param watched what the server counted, or null when it was not watched */
export function judge(target: Target, driven: Driven, watched: Watched | null): Judged {
  const seconds = secondsOf(target, driven, watched);
  const notSent = equal('requests not sent', driven.dropped, 0);
  const { verdicts, peakPerSecond } =
    target.mode === 'direct'
      ? judgeDirect(target, driven, seconds)
      : judgeQueue(target, driven, watched, seconds);
  const processed =
    watched === null
      ? []
      : [equal('orders processed', gain(watched, 'done'), count(driven, 'created'))];
  return { seconds, peakPerSecond, verdicts: [notSent, ...verdicts, ...processed] };
}

function judgeDirect({ rpsLimit, wave }: Target, driven: Driven, seconds: readonly Second[]) {
  const created = driven.exchanges.filter(({ outcome }) => outcome === 'created');
  const refused = driven.exchanges.filter(({ outcome }) => outcome === 'refused');
  const others = driven.exchanges.filter(({ outcome }) => outcome !== 'refused');
  const peakPerSecond = peakOf(seconds, mostInASecond(created));
  const share = refused.length / Math.max(1, driven.exchanges.length);
  const sine = shareAbove(rpsLimit, wave);
  const stalled = driven.exchanges.filter(({ latencyMs }) => latencyMs > STALL_MS).length;
  const tolerance = SHARE_TOLERANCE + stalled / Math.max(1, driven.exchanges.length);
  const verdicts = [
    equal('answers other than 200 and 500', others.length - created.length, 0),
    atMost('peak admission rate', peakPerSecond, rpsLimit),
    equal('orders refused below the limit', refusedWithRoom(refused, others, rpsLimit), 0),
    {
      ok: Math.abs(share - sine) <= tolerance,
      text: `share of 500s: ${percent(share)} (the sine gives ${percent(sine)}, tolerance ${percent(tolerance)})`,
    },
  ];
  return { peakPerSecond, verdicts };
}

function judgeQueue(
  { drainRate }: Target,
  driven: Driven,
  watched: Watched | null,
  seconds: readonly Second[],
) {
  const created = count(driven, 'created');
  const verdicts = [equal('answers other than 200', driven.exchanges.length - created, 0)];
  const proven = provenPeak(watched);
  const peakPerSecond = peakOf(seconds, proven.perSecond);
  if (watched === null) return { peakPerSecond, verdicts };
  verdicts.push(equal('orders still pending', watched.readings.at(-1)!.pendingOrders, 0));
  const admitted = gain(watched, 'admitted');
  if (Number.isNaN(admitted)) {
    const text = 'processing rate: the server does not report forebay_admitted_orders_total';
    verdicts.push({ ok: drainRate === 0, text });
    return { peakPerSecond, verdicts };
  }
  const done = gain(watched, 'done');
  verdicts.push({
    ok: admitted >= done,
    text: `orders admitted to the handler: ${admitted} (at least the ${done} processed)`,
  });
  if (drainRate > 0) {
    const over = peakPerSecond === proven.perSecond && proven.overS > 1 ? proven.overS : 1;
    verdicts.push(atMost('peak processing rate', peakPerSecond, drainRate, over));
  }
  return { peakPerSecond, verdicts };
}

/** @param proven the highest rate in any second that was found; the whole seconds may show a higher one */
function peakOf(seconds: readonly Second[], proven: number): number {
  return seconds.reduce((most, { processed }) => Math.max(most, processed), proven);
}

function provenPeak(watched: Watched | null): { perSecond: number; overS: number } {
  const { add, peak } = watchPeakRate();
  for (const { uptimeS, admitted } of watched?.readings ?? []) {
    add({ atS: uptimeS, count: admitted });
  }
  return peak;
}

function secondsOf(target: Target, driven: Driven, watched: Watched | null): Second[] {
  const { mode, wave, rpsLimit, drainRate } = target;
  const readings = (watched?.readings ?? []).map((reading) => ({
    ...reading,
    atS: (watched!.bootMs + reading.uptimeS * 1000 - driven.startMs) / 1000,
    count: reading.admitted,
  }));
  const length = lengthS(wave, driven, readings);
  const of = (isWanted: (exchange: Exchange) => boolean, limit?: number) => {
    const { upper, lower } = boundsOfExchanges(driven.exchanges.filter(isWanted), 0, length);
    return countBySecond(upper, lower, limit);
  };
  const created = of(
    ({ outcome }) => outcome === 'created',
    mode === 'direct' ? rpsLimit : undefined,
  );
  const refused = of(({ outcome }) => outcome === 'refused');
  const other = of(({ outcome }) => outcome === 'busy' || outcome === 'other');
  const admitted = boundsOfReadings(readings, length);
  const processed =
    mode === 'direct'
      ? created
      : countBySecond(admitted.upper, admitted.lower, drainRate > 0 ? drainRate : undefined);
  let next = 0;
  return created.map((_, second) => {
    while (next < readings.length && readings[next]!.atS <= second + 1) next++;
    const last = readings[next - 1];
    return {
      due: dueIn(second, wave),
      created: created[second]!,
      refused: refused[second]!,
      other: other[second]!,
      processed: processed[second]!,
      pendingOrders: last?.pendingOrders ?? 0,
      oldestAgeS: last?.oldestAgeS ?? 0,
    };
  });
}

/** Whole seconds until the wave is over, all is answered and nothing is pending any more. */
function lengthS(
  wave: WaveOptions['wave'],
  { exchanges }: Driven,
  readings: readonly { atS: number; pendingOrders: number; count: number }[],
): number {
  const last = readings.at(-1);
  const settled = readings.find(
    ({ pendingOrders, count: admitted }) =>
      pendingOrders === last?.pendingOrders && admitted === last.count,
  );
  const answeredMs = exchanges.reduce((latest, { answeredMs: at }) => Math.max(latest, at), 0);
  return Math.max(
    Math.ceil(durationS(wave)),
    Math.floor(answeredMs / 1000) + 1,
    Math.ceil(settled?.atS ?? 0),
  );
}

function dueIn(second: number, wave: WaveOptions['wave']): number {
  const endS = durationS(wave);
  const from = arrivalsBefore(Math.min(second, endS), wave);
  return arrivalsBefore(Math.min(second + 1, endS), wave) - from;
}

function count({ exchanges }: Driven, wanted: Exchange['outcome']): number {
  return exchanges.filter(({ outcome }) => outcome === wanted).length;
}

function gain({ readings }: Watched, what: 'done' | 'admitted'): number {
  return readings.at(-1)![what] - readings[0]![what];
}

function equal(what: string, seen: number, expected: number): Verdict {
  return { ok: seen === expected, text: `${what}: ${seen} (expected ${expected})` };
}

function atMost(what: string, seen: number, limit: number, overS = 1): Verdict {
  const span = overS === 1 ? '' : ` over ${overS} s`;
  const rate = Math.round(seen * 100) / 100;
  return { ok: seen <= limit, text: `${what}: ${rate}/s${span} (limit ${limit}/s)` };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** As the commands print it. */
export function verdictLine({ ok, text }: Verdict): string {
  return `${ok ? 'ok  ' : 'FAIL'} ${text}`;
}
