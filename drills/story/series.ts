import { durationS, rate } from '../../k6/lib/sine.js';
import { STATUSES } from '../../src/model/answers.js';
import type { WaveOptions } from '../wave/wave-options.js';
import type { Sample } from './sample.js';

/** What the server counted between two looks, about a second apart. Rates are per second. */
export interface Step {
  /** Seconds since the wave began. */
  readonly fromS: number;
  readonly toS: number;
  /** What the sine says for its middle; 0 once the wave is over. */
  readonly dueRps: number;
  readonly createdRps: number;
  readonly refusedRps: number;
  /** Answers of any other status. */
  readonly otherRps: number;
  readonly doneRps: number;
  readonly errorRps: number;
  /** At the end of the step. */
  readonly pendingOrders: number;
  readonly oldestAgeS: number;
}

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
