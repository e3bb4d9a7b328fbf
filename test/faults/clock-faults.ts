import type { LedgerPlan } from '../../drills/ledger/ledger.js';
import { frameTimeMs } from '../../src/model/frame.js';
import { FakeClock, fakeClockLack } from './fake-clock.js';
import { type Fault, ONLY_200 } from './fault.js';
import type { Stage } from './stage.js';

const HOUR_S = 3600;
/** Longer than a run. */
const STEP_SLACK_S = 600;

/** Sets the clock of one Forebay forward and back, or back and forward, under load. */
async function setClock(
  stage: Stage,
  flags: readonly string[],
  plan: Partial<LedgerPlan> = {},
): Promise<void> {
  const clock = new FakeClock(stage.folder);
  const handler = stage.plainHandler(plan);
  await stage.shop(['--handler', handler, ...flags], { env: clock.env });
  const steps = stage.random.pick([
    [HOUR_S, 0, -HOUR_S],
    [-HOUR_S, 0, HOUR_S],
  ]);
  stage.load();
  for (const aheadS of steps) {
    await stage.pass(stage.share(0.15, 0.3));
    clock.set(aheadS);
  }
  await stage.pass(stage.share(0.15, 0.3));
  await stage.finish();
  requireSteps(stage);
}

/** The ids of the orders must show that the clock was both ahead and behind. */
function requireSteps(stage: Stage): void {
  // The load has just ended, so within the slack all steps are still about an hour from now.
  const timesMs = stage
    .sent!.ids.filter((id) => id !== '')
    .map(frameTimeMs)
    .sort((a, b) => a - b);
  const aheadMs = (timesMs.at(-1) ?? 0) - Date.now();
  const behindMs = Date.now() - (timesMs[0] ?? 0);
  const leastMs = (HOUR_S - STEP_SLACK_S) * 1000;
  if (aheadMs < leastMs || behindMs < leastMs) stage.problems.push('the clock was not set');
}

export const clockFaults: readonly Fault[] = [
  {
    name: 'clock-local',
    what: 'wall clock set forward and back by an hour; local journal',
    guarantees: ONLY_200,
    lack: fakeClockLack,
    run: (stage) => setClock(stage, []),
  },
  {
    name: 'clock-jetstream',
    what: 'wall clock set forward and back by an hour; JetStream',
    isLongOnly: true,
    guarantees: ONLY_200,
    lack: fakeClockLack,
    async run(stage) {
      const nats = await stage.nats();
      await setClock(stage, ['--nats', nats.url]);
    },
  },
  {
    name: 'clock-retries',
    what: 'the same while 1% of the orders are retried: no retry waits for an hour',
    guarantees: ONLY_200,
    lack: fakeClockLack,
    async run(stage) {
      const flags = stage.random.once(2) ? [] : ['--nats', (await stage.nats()).url];
      await setClock(stage, flags, { retriedPermille: 10 });
    },
  },
];
