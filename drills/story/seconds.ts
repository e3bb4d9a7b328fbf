import { durationS, rate } from '../../k6/lib/sine.js';
import { STATUSES } from '../../src/model/answers.js';
import type { WaveOptions } from '../wave/options.js';
import type { ServedFigures, Step } from './record.js';
import type { Sample, Sum } from './sample.js';

/** Looks closer together than this belong to one step: rates over less are mostly noise. */
const STEP_S_MIN = 0.5;

/** @param startMs epoch milliseconds of time 0 of the wave */
export function stepsOf(
  samples: readonly Sample[],
  startMs: number,
  wave: WaveOptions['wave'],
): Step[] {
  const steps: Step[] = [];
  let from = samples[0]!;
  for (const to of samples.slice(1)) {
    // Before the wave there is nothing to see.
    if (to.atMs > startMs) {
      if (to.atMs - Math.max(from.atMs, startMs) < STEP_S_MIN * 1000) continue;
      steps.push(stepOf(from, to, startMs, wave));
    }
    from = to;
  }
  return steps;
}

function stepOf(from: Sample, to: Sample, startMs: number, wave: WaveOptions['wave']): Step {
  // The first step began before the wave did: the orders in it came after.
  const fromMs = Math.max(from.atMs, startMs);
  const lastsS = (to.atMs - fromMs) / 1000;
  const [fromS, toS] = [(fromMs - startMs) / 1000, (to.atMs - startMs) / 1000];
  const middleS = (fromS + toS) / 2;
  const created = to.answers[200] - from.answers[200];
  const refused = to.answers[500] - from.answers[500];
  const all = STATUSES.reduce((sum, status) => sum + to.answers[status] - from.answers[status], 0);
  return {
    fromS,
    toS,
    dueRps: middleS < durationS(wave) ? rate(middleS, wave) : 0,
    createdRps: created / lastsS,
    refusedRps: refused / lastsS,
    otherRps: (all - created - refused) / lastsS,
    doneRps: (to.done - from.done) / lastsS,
    errorRps: (to.error - from.error) / lastsS,
    pendingOrders: to.pendingOrders,
    oldestAgeS: to.oldestAgeS,
  };
}

/** What the server did between the first look and the last. */
export function servedFigures(
  samples: readonly Sample[],
  steps: readonly Step[],
  wave: WaveOptions['wave'],
): ServedFigures {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const most = (of: (sample: Sample) => number) => Math.max(...samples.map(of));
  const mean = (of: (sample: Sample) => Sum, scale: number) => meanOf(of(first), of(last), scale);
  return {
    created: last.answers[200] - first.answers[200],
    refused: last.answers[500] - first.answers[500],
    done: last.done - first.done,
    error: last.error - first.error,
    retries: last.retries - first.retries,
    dead: last.dead - first.dead,
    pendingOrdersMax: most(({ pendingOrders }) => pendingOrders),
    pendingOrdersEnd: last.pendingOrders,
    oldestAgeSMax: most(({ oldestAgeS }) => oldestAgeS),
    waitingOrdersMax: most(({ waitingOrders }) => waitingOrders),
    drainedAfterS: drainedAfterS(steps, durationS(wave)),
    orderAgeSMean: mean(({ orderAge }) => orderAge, 1),
    commitMsMean: mean(({ commit }) => commit, 1000),
    frameOrdersMean: mean(({ frameOrders }) => frameOrders, 1),
    handlerMsMean: mean(({ handler }) => handler, 1000),
    lagMsMax: most(({ lagMs }) => lagMs),
    residentMbMax: most(({ residentMb }) => residentMb),
    cpuShare: ((last.cpuS - first.cpuS) * 1000) / Math.max(1, last.atMs - first.atMs),
  };
}

function meanOf(first: Sum, last: Sum, scale: number): number | null {
  const count = last.count - first.count;
  return count > 0 ? ((last.sum - first.sum) * scale) / count : null;
}

function drainedAfterS(steps: readonly Step[], endS: number): number {
  const lastWaiting = steps.findLastIndex(({ pendingOrders }) => pendingOrders > 0);
  const empty = steps[lastWaiting + 1];
  return lastWaiting === -1 || empty === undefined ? 0 : Math.max(0, empty.toS - endS);
}
