import type { Histogram, Quantiles } from '../latencies.js';
import type { ActRecord, StoryRecord } from '../record.js';
import { type Band, type Frame, figure, Scale, type Tick, ticksTo } from './plot.js';
import { ms, share, whole } from './text.js';

const HEADROOM = 1.18;
/** Labelled on the axis. */
const ROUND_MS = [0.1, 1, 10, 100, 1000, 10_000];

/** x is the logarithm of milliseconds, y a share of all answers; both modes have the same. */
export function latencyFrame({ direct, queue }: StoryRecord): Frame {
  const totals = [direct, queue].map(sharesOf);
  const used = totals[0]!.map((_, i) => totals.some((shares) => shares[i]! > 0));
  const { edgesMs } = direct.histogram.created;
  const first = Math.max(0, used.indexOf(true));
  const last = Math.max(first, used.lastIndexOf(true));
  return {
    xMin: Math.log10(edgesMs[first]!),
    xMax: Math.log10(edgesMs[last + 1]!),
    yMax: Math.max(0.01, ...totals.flat()) * HEADROOM,
  };
}

/** How long clients waited for their answer. */
export function latencyPlot(act: ActRecord, frame: Frame): string {
  const scale = new Scale(frame);
  const { created, refused } = act.histogram;
  const taken = barsOf(created, answeredOf(act));
  const both = stack(taken, barsOf(refused, answeredOf(act)));
  return figure({
    title: 'How long the answer took',
    legend: [
      { look: 'created', text: '200 created' },
      ...(act.refused > 0 ? [{ look: 'refused', text: '500 server-kaput' }] : []),
      { look: 'mark', text: 'p50, p99 and p99.9 of the 200s' },
    ],
    alt: `Share of the answers by latency, on a logarithmic axis. ${altOf(act.latencyMs.created)}`,
    xTicks: msTicks(frame),
    yTicks: ticksTo(frame.yMax * 100).map((value) => ({
      at: value / 100 / frame.yMax,
      text: `${value}\u202f%`,
    })),
    layers: [
      scale.area('created', taken),
      scale.area('refused', both),
      ...marks(act.latencyMs.created, frame, scale),
      ...both.flatMap((bar, i) => {
        if (bar.top === 0) return [];
        return [scale.hint(bar.from, bar.to, hintOf(bar, created.counts[i]!, refused.counts[i]!))];
      }),
    ],
    notes: markNotes(act.latencyMs.created, frame, scale),
  });
}

function answeredOf({ created, refused, other }: ActRecord): number {
  return created + refused + other;
}

function sharesOf(act: ActRecord): number[] {
  const { created, refused } = act.histogram;
  return created.counts.map((count, i) => share(count + refused.counts[i]!, answeredOf(act)));
}

function barsOf({ edgesMs, counts }: Histogram, all: number): Band[] {
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

function marked(quantiles: Quantiles | null): [string, number][] {
  if (quantiles === null) return [];
  return [
    ['p50', quantiles.p50],
    ['p99', quantiles.p99],
    ['p99.9', quantiles.p999],
  ];
}

function marks(quantiles: Quantiles | null, frame: Frame, scale: Scale): string[] {
  return marked(quantiles).map(([, value]) =>
    scale.line('mark', [
      [Math.log10(value), 0],
      [Math.log10(value), frame.yMax],
    ]),
  );
}

/** Each a line lower than the one before, so that neighbours do not cover each other. */
function markNotes(quantiles: Quantiles | null, frame: Frame, scale: Scale): string[] {
  return marked(quantiles).map(([name, value], i) =>
    scale.beside(Math.log10(value), frame.yMax * (0.94 - i * 0.11), `${name} ${ms(value)}`),
  );
}

function altOf(quantiles: Quantiles | null): string {
  if (quantiles === null) return 'No order was answered 200.';
  return `Of the ${whole(quantiles.count)} answers 200: ${marked(quantiles)
    .map(([name, value]) => `${name} ${ms(value)}`)
    .join(', ')}.`;
}

function hintOf({ from, to }: Band, created: number, refused: number): string {
  const range = `${ms(10 ** from)} to ${ms(10 ** to)}`;
  return `${range}: ${whole(created)} answers 200, ${whole(refused)} answers 500`;
}

function msTicks({ xMin, xMax }: Frame): Tick[] {
  return ROUND_MS.filter(
    (value) => Math.log10(value) >= xMin - 1e-9 && Math.log10(value) <= xMax + 1e-9,
  ).map((value) => ({
    at: (Math.log10(value) - xMin) / (xMax - xMin),
    text: value < 1000 ? `${value}\u202fms` : `${value / 1000}\u202fs`,
  }));
}
