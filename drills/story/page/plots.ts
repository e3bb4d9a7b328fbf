import { durationS, rate } from '../../../k6/lib/sine.js';
import type { ActRecord, Histogram, Quantiles, Step, StoryRecord } from '../record.js';
import { type Band, type Frame, figure, Scale, type Tick, ticksTo } from './plot.js';
import { ms, seconds, share, short, whole } from './text.js';

/** Air above the highest value. */
const HEADROOM = 1.08;
/** More peaks than this leave no room for words in them. */
const LABELLED_PERIODS_MAX = 3;
const SINE_POINTS_PER_PERIOD = 120;

/** The scales that both modes share. */
export interface SharedFrames {
  readonly rates: Frame;
  readonly backlog: Frame;
}

export function sharedFrames(record: StoryRecord): SharedFrames {
  const steps = [...record.direct.steps, ...record.queue.steps];
  const most = (of: (step: Step) => number) => Math.max(...steps.map(of));
  const xMax = Math.max(
    durationS(record.wave),
    ...[record.direct, record.queue].map(({ steps: own }) => own.at(-1)?.toS ?? 0),
  );
  const ratesMax = Math.max(
    record.wave.maxRps,
    most(answeredRps),
    most(({ doneRps }) => doneRps),
  );
  const backlogMax = Math.max(
    10,
    most(({ pendingOrders }) => pendingOrders),
  );
  return {
    rates: { xMin: 0, xMax, yMax: ratesMax * HEADROOM },
    backlog: { xMin: 0, xMax, yMax: backlogMax * HEADROOM },
  };
}

/** Answers by status under the wave: the assignment's first picture. */
export function answersPlot(record: StoryRecord, act: ActRecord, frame: Frame): string {
  const scale = new Scale(frame);
  const { wave, limitRps } = record;
  const other = act.other > 0 ? [{ look: 'other', text: 'any other' }] : [];
  return figure({
    title: 'Answers a second, by status',
    legend: [
      { look: 'created', text: '200 created' },
      { look: 'refused', text: '500 server-kaput' },
      ...other,
      { look: 'sine', text: 'the wave, calculated' },
    ],
    alt:
      `Answers a second over ${seconds(frame.xMax)}: ${whole(act.created)} with status 200, ` +
      `${whole(act.refused)} with status 500, ${whole(act.other)} with any other.`,
    xTicks: timeTicks(frame),
    yTicks: rateTicks(frame),
    layers: [
      scale.area(
        'created',
        bands(
          act.steps,
          () => 0,
          ({ createdRps }) => createdRps,
        ),
      ),
      scale.area(
        'refused',
        bands(act.steps, ({ createdRps }) => createdRps, takenOrRefusedRps),
      ),
      scale.area('other', bands(act.steps, takenOrRefusedRps, answeredRps)),
      sineLine(record, scale),
      ...act.steps.map((step) => scale.hint(step.fromS, step.toS, answersHint(step))),
    ],
    notes:
      wave.periods > LABELLED_PERIODS_MAX
        ? []
        : [
            scale.note(wave.periodS / 4, limitRps / 2, '200'),
            ...(act.refused > 0 ? [scale.note(wave.periodS / 4, limitRps * 1.45, '500')] : []),
          ],
  });
}

/** What the pool has processed: the assignment's second picture. */
export function workPlot(record: StoryRecord, act: ActRecord, frame: Frame): string {
  const scale = new Scale(frame);
  const bound = act.mode === 'direct' ? record.limitRps : record.drainRps;
  return figure({
    title: 'Work done a second',
    legend: [
      { look: 'done', text: 'orders processed' },
      { look: 'bound', text: `what the shop bears, ${bound} a second` },
      { look: 'sine', text: 'the wave' },
    ],
    alt:
      `Orders processed a second: ${whole(act.served.done)} in all, ` +
      `at most ${short(Math.max(...act.steps.map(({ doneRps }) => doneRps)))} a second between two looks.`,
    xTicks: timeTicks(frame),
    yTicks: rateTicks(frame),
    layers: [
      scale.area(
        'done',
        bands(
          act.steps,
          () => 0,
          ({ doneRps }) => doneRps,
        ),
      ),
      sineLine(record, scale),
      scale.line('bound', [
        [0, bound],
        [frame.xMax, bound],
      ]),
      ...act.steps.map((step) =>
        scale.hint(
          step.fromS,
          step.toS,
          `${span(step)}: ${short(step.doneRps)} processed a second`,
        ),
      ),
    ],
  });
}

/** What is accepted and not processed yet. */
export function backlogPlot(act: ActRecord, frame: Frame): string {
  const scale = new Scale(frame);
  const { pendingOrdersMax, pendingOrdersEnd, oldestAgeSMax } = act.served;
  const points = act.steps.map(({ toS, pendingOrders }): [number, number] => [toS, pendingOrders]);
  const last = points.at(-1)?.[0] ?? 0;
  const nothing = act.mode === 'direct' && pendingOrdersMax === 0;
  return figure({
    title: 'Orders that wait',
    legend: [{ look: 'backlog', text: 'accepted, not processed yet' }],
    alt:
      `Orders that wait: ${whole(pendingOrdersMax)} at most, ${whole(pendingOrdersEnd)} at the end; ` +
      `the oldest waited ${seconds(oldestAgeSMax)}.`,
    xTicks: timeTicks(frame),
    yTicks: ticksTo(frame.yMax).map((value) => ({ at: value / frame.yMax, text: whole(value) })),
    layers: [
      scale.line('backlog', [[0, 0], ...points, [last, 0]]),
      ...act.steps.map((step) =>
        scale.hint(
          step.fromS,
          step.toS,
          `${step.toS.toFixed(0)} s: ${whole(step.pendingOrders)} wait, the oldest for ${seconds(step.oldestAgeS)}`,
        ),
      ),
    ],
    notes: nothing
      ? [scale.note(frame.xMax / 2, frame.yMax / 2, 'no queue, nobody waits: 500, and gone')]
      : [],
  });
}

function bands(
  steps: readonly Step[],
  bottom: (step: Step) => number,
  top: (step: Step) => number,
): Band[] {
  return steps.map((step) => ({
    from: step.fromS,
    to: step.toS,
    bottom: bottom(step),
    top: top(step),
  }));
}

function takenOrRefusedRps({ createdRps, refusedRps }: Step): number {
  return createdRps + refusedRps;
}

function answeredRps({ createdRps, refusedRps, otherRps }: Step): number {
  return createdRps + refusedRps + otherRps;
}

function sineLine({ wave }: StoryRecord, scale: Scale): string {
  const count = Math.ceil(SINE_POINTS_PER_PERIOD * wave.periods);
  const points = Array.from({ length: count + 1 }, (_, i): [number, number] => {
    const tS = (durationS(wave) * i) / count;
    return [tS, rate(tS, wave)];
  });
  return scale.line('sine', points);
}

function answersHint(step: Step): string {
  const { createdRps, refusedRps, otherRps, dueRps } = step;
  const parts = [`200: ${short(createdRps)}`, `500: ${short(refusedRps)}`];
  if (otherRps > 0) parts.push(`other: ${short(otherRps)}`);
  return `${span(step)}: ${parts.join(', ')} a second; the wave says ${short(dueRps)}`;
}

function span({ fromS, toS }: Step): string {
  return `${fromS.toFixed(0)} to ${toS.toFixed(0)} s`;
}

function timeTicks({ xMax }: Frame): Tick[] {
  return ticksTo(xMax).map((value) => ({ at: value / xMax, text: `${value}\u202fs` }));
}

function rateTicks({ yMax }: Frame): Tick[] {
  return ticksTo(yMax).map((value) => ({ at: value / yMax, text: whole(value) }));
}

const SHARES_HEADROOM = 1.18;
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
    yMax: Math.max(0.01, ...totals.flat()) * SHARES_HEADROOM,
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
