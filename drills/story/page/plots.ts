import { durationS, rate } from '../../../k6/lib/sine.js';
import type { Second } from '../../wave/judge.js';
import type { Histogram, Quantiles } from '../figures.js';
import type { ModeRecord, StoryRecord } from '../record.js';
import { type Band, type Frame, figure, Scale, type Tick, ticksTo } from './plot.js';
import { ms, perSecond, seconds, share, short, whole } from './text.js';

/** Space above the highest value. */
const HEADROOM = 1.08;
const LATENCY_HEADROOM = 1.18;
/** With more periods than this there is no room for words in the plot. */
const LABELLED_PERIODS_MAX = 3;
const SINE_POINTS_PER_PERIOD = 120;
/** Labels of the latency axis. */
const ROUND_MS = [0.1, 1, 10, 100, 1000, 10_000];

/** The scales, which both modes share. */
export interface Frames {
  readonly rates: Frame;
  readonly backlog: Frame;
  /** x is the logarithm of milliseconds, y a share of all answers. */
  readonly latency: Frame;
}

export function framesOf(story: StoryRecord): Frames {
  const { direct, queue, wave } = story;
  const all = [...direct.seconds, ...queue.seconds];
  const most = (of: (second: Second) => number) => Math.max(0, ...all.map(of));
  const ratesMax = Math.max(
    wave.maxRps,
    most(answered),
    most(({ processed }) => processed),
  );
  const backlogMax = Math.max(10, direct.server.pendingOrdersMax, queue.server.pendingOrdersMax);
  const xMax = Math.max(durationS(wave), direct.seconds.length, queue.seconds.length);
  return {
    rates: { xMin: 0, xMax, yMax: ratesMax * HEADROOM },
    backlog: { xMin: 0, xMax, yMax: backlogMax * HEADROOM },
    latency: latencyFrame(story),
  };
}

/** All plots of one mode. */
export function plotsOf(story: StoryRecord, record: ModeRecord, frames: Frames): string {
  return [
    answersPlot(story, record, frames.rates),
    workPlot(story, record, frames.rates),
    backlogPlot(record, frames.backlog),
    latencyPlot(record, frames.latency),
  ].join('\n');
}

function answersPlot({ wave, rpsLimit }: StoryRecord, record: ModeRecord, frame: Frame): string {
  const scale = new Scale(frame);
  const { refused, other } = record;
  const middleS = wave.periodS / 4;
  const notes =
    wave.periods > LABELLED_PERIODS_MAX
      ? []
      : [
          scale.note(middleS, rpsLimit / 2, '200'),
          ...(refused > 0 ? [scale.note(middleS, rpsLimit * 1.45, '500')] : []),
        ];
  return figure({
    title: 'Answers per second, by status',
    legend: [
      { look: 'created', text: '200 created' },
      { look: 'refused', text: '500 server-kaput' },
      ...(other > 0 ? [{ look: 'other', text: 'any other' }] : []),
      { look: 'sine', text: 'the wave, calculated' },
    ],
    alt:
      `Answers per second over ${seconds(frame.xMax)}: ${whole(record.created)} with status 200, ` +
      `${whole(refused)} with status 500, ${whole(other)} with any other.`,
    xTicks: timeTicks(frame),
    yTicks: countTicks(frame),
    layers: [
      scale.area(
        'created',
        bars(record, nothing, ({ created }) => created),
      ),
      scale.area(
        'refused',
        bars(record, ({ created }) => created, createdOrRefused),
      ),
      scale.area('other', bars(record, createdOrRefused, answered)),
      sineLine(wave, scale),
      ...hints(record, scale, answersHint),
    ],
    notes,
  });
}

function workPlot({ wave, rpsLimit, drainRate }: StoryRecord, record: ModeRecord, frame: Frame) {
  const scale = new Scale(frame);
  const limit = record.mode === 'direct' ? rpsLimit : drainRate;
  return figure({
    title: 'Orders processed per second',
    legend: [
      { look: 'done', text: 'orders processed' },
      { look: 'bound', text: `limit, ${limit} a second` },
      { look: 'sine', text: 'the wave' },
    ],
    alt:
      `Orders processed per second: ${whole(record.server.done)} in all, ` +
      `at most ${perSecond(record.peakPerSecond)} in any second, with a limit of ${limit}.`,
    xTicks: timeTicks(frame),
    yTicks: countTicks(frame),
    layers: [
      scale.area(
        'done',
        bars(record, nothing, ({ processed }) => processed),
      ),
      sineLine(wave, scale),
      scale.line('bound', [
        [0, limit],
        [frame.xMax, limit],
      ]),
      ...hints(record, scale, ({ processed }) => `${whole(processed)} processed`),
    ],
  });
}

function backlogPlot(record: ModeRecord, frame: Frame): string {
  const scale = new Scale(frame);
  const { pendingOrdersMax, pendingOrdersEnd, oldestAgeSMax } = record.server;
  const points = record.seconds.map(({ pendingOrders }, i): [number, number] => [
    i + 1,
    pendingOrders,
  ]);
  const hasNoQueue = record.mode === 'direct' && pendingOrdersMax === 0;
  return figure({
    title: 'Pending orders',
    legend: [{ look: 'backlog', text: 'accepted, not processed yet' }],
    alt:
      `Pending orders: ${whole(pendingOrdersMax)} at most, ${whole(pendingOrdersEnd)} at the end; ` +
      `the oldest was pending for ${seconds(oldestAgeSMax)}.`,
    xTicks: timeTicks(frame),
    yTicks: countTicks(frame),
    layers: [
      scale.line('backlog', [[0, 0], ...points, [points.length, 0]]),
      ...hints(
        record,
        scale,
        ({ pendingOrders, oldestAgeS }) =>
          `${whole(pendingOrders)} pending at the end, the oldest for ${seconds(oldestAgeS)}`,
      ),
    ],
    notes: hasNoQueue
      ? [scale.note(frame.xMax / 2, frame.yMax / 2, 'no queue: nothing is pending')]
      : [],
  });
}

const nothing = () => 0;

function createdOrRefused({ created, refused }: Second): number {
  return created + refused;
}

function answered({ created, refused, other }: Second): number {
  return created + refused + other;
}

function bars(
  { seconds: all }: ModeRecord,
  bottom: (second: Second) => number,
  top: (second: Second) => number,
): Band[] {
  return all.map((second, i) => ({
    from: i,
    to: i + 1,
    bottom: bottom(second),
    top: top(second),
  }));
}

function hints(
  { seconds: all }: ModeRecord,
  scale: Scale,
  text: (second: Second) => string,
): string[] {
  return all.map((second, i) => scale.hint(i, i + 1, `${i} to ${i + 1} s: ${text(second)}`));
}

function answersHint({ created, refused, other, due }: Second): string {
  const parts = [`200: ${created}`, `500: ${refused}`];
  if (other > 0) parts.push(`other: ${other}`);
  return `${parts.join(', ')}; the wave asks for ${short(due)}`;
}

function sineLine(wave: StoryRecord['wave'], scale: Scale): string {
  const count = Math.ceil(SINE_POINTS_PER_PERIOD * wave.periods);
  const points = Array.from({ length: count + 1 }, (_, i): [number, number] => {
    const tS = (durationS(wave) * i) / count;
    return [tS, rate(tS, wave)];
  });
  return scale.line('sine', points);
}

function timeTicks({ xMax }: Frame): Tick[] {
  return ticksTo(xMax).map((value) => ({ at: value / xMax, text: `${value}\u202fs` }));
}

function countTicks({ yMax }: Frame): Tick[] {
  return ticksTo(yMax).map((value) => ({ at: value / yMax, text: whole(value) }));
}

function latencyFrame({ direct, queue }: StoryRecord): Frame {
  const totals = [direct, queue].map(latencyShares);
  const used = totals[0]!.map((_, i) => totals.some((shares) => shares[i]! > 0));
  const { edgesMs } = direct.histogram.created;
  const first = Math.max(0, used.indexOf(true));
  const last = Math.max(first, used.lastIndexOf(true));
  return {
    xMin: Math.log10(edgesMs[first]!),
    xMax: Math.log10(edgesMs[last + 1]!),
    yMax: Math.max(0.01, ...totals.flat()) * LATENCY_HEADROOM,
  };
}

function latencyPlot(record: ModeRecord, frame: Frame): string {
  const scale = new Scale(frame);
  const { created, refused } = record.histogram;
  const lower = latencyBars(created, answersOf(record));
  const both = stack(lower, latencyBars(refused, answersOf(record)));
  return figure({
    title: 'Latency of the answers',
    legend: [
      { look: 'created', text: '200 created' },
      ...(record.refused > 0 ? [{ look: 'refused', text: '500 server-kaput' }] : []),
      { look: 'mark', text: 'p50, p99 and p99.9 of the 200s' },
    ],
    alt: `Share of the answers by latency, on a logarithmic axis. ${latencyAlt(record.latencyMs.created)}`,
    xTicks: latencyTicks(frame),
    yTicks: ticksTo(frame.yMax * 100).map((value) => ({
      at: value / 100 / frame.yMax,
      text: `${value}\u202f%`,
    })),
    layers: [
      scale.area('created', lower),
      scale.area('refused', both),
      ...marks(record.latencyMs.created).map(([, value]) =>
        scale.line('mark', [
          [Math.log10(value), 0],
          [Math.log10(value), frame.yMax],
        ]),
      ),
      ...both.flatMap((bar, i) => {
        if (bar.top === 0) return [];
        const text = latencyHint(bar, created.counts[i]!, refused.counts[i]!);
        return [scale.hint(bar.from, bar.to, text)];
      }),
    ],
    // Each a line lower than the one before, so that neighbours do not cover each other.
    notes: marks(record.latencyMs.created).map(([name, value], i) =>
      scale.beside(Math.log10(value), frame.yMax * (0.94 - i * 0.11), `${name} ${ms(value)}`),
    ),
  });
}

function answersOf({ created, refused, other }: ModeRecord): number {
  return created + refused + other;
}

function latencyShares(record: ModeRecord): number[] {
  const { created, refused } = record.histogram;
  return created.counts.map((count, i) => share(count + refused.counts[i]!, answersOf(record)));
}

function latencyBars({ edgesMs, counts }: Histogram, all: number): Band[] {
  return counts.map((count, i) => ({
    from: Math.log10(edgesMs[i]!),
    to: Math.log10(edgesMs[i + 1]!),
    bottom: 0,
    top: share(count, all),
  }));
}

function stack(below: readonly Band[], above: readonly Band[]): Band[] {
  return above.map((bar, i) => ({ ...bar, bottom: below[i]!.top, top: below[i]!.top + bar.top }));
}

function marks(quantiles: Quantiles | null): [string, number][] {
  if (quantiles === null) return [];
  return [
    ['p50', quantiles.p50],
    ['p99', quantiles.p99],
    ['p99.9', quantiles.p999],
  ];
}

function latencyAlt(quantiles: Quantiles | null): string {
  if (quantiles === null) return 'No order was answered 200.';
  return `Of the ${whole(quantiles.count)} answers 200: ${marks(quantiles)
    .map(([name, value]) => `${name} ${ms(value)}`)
    .join(', ')}.`;
}

function latencyHint({ from, to }: Band, created: number, refused: number): string {
  const range = `${ms(10 ** from)} to ${ms(10 ** to)}`;
  return `${range}: ${whole(created)} answers 200, ${whole(refused)} answers 500`;
}

function latencyTicks({ xMin, xMax }: Frame): Tick[] {
  return ROUND_MS.filter(
    (value) => Math.log10(value) >= xMin - 1e-9 && Math.log10(value) <= xMax + 1e-9,
  ).map((value) => ({
    at: (Math.log10(value) - xMin) / (xMax - xMin),
    text: value < 1000 ? `${value}\u202fms` : `${value / 1000}\u202fs`,
  }));
}
