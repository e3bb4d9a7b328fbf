import { durationS } from '../../k6/lib/sine.js';
import type { WaveOptions } from '../wave/wave-options.js';
import type { ServedFigures } from './record.js';
import type { Sample, Sum } from './sample.js';
import type { Step } from './series.js';

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
