import { durationS, rate } from '../../../k6/lib/sine.js';
import type { ActRecord, StoryRecord } from '../record.js';
import type { Step } from '../series.js';
import { type Band, type Frame, figure, Scale, type Tick, ticksTo } from './plot.js';
import { seconds, short, whole } from './text.js';

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
