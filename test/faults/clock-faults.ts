import { frameTimeMs } from '../../src/model/frame.js';
import { FakeClock, fakeClockLack } from './fake-clock.js';
import { type Fault, NOBODY_NOTICES } from './fault.js';
import type { LedgerPlan } from './ledger.js';
import type { Stage } from './stage.js';

const HOUR_S = 3600;
/** A run takes less. */
const STEP_SLACK_S = 600;

/** Sets the clock of one Forebay forward and back, or back and forward, while orders come. */
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

/** The ids that the server gave must show that its clock stood both ahead and behind. */
function requireSteps(stage: Stage): void {
  // The load ended a moment ago: within the slack all steps are still an hour from now.
  const timesMs = stage
    .sent!.ids.filter((id) => id !== '')
    .map(frameTimeMs)
    .sort((a, b) => a - b);
  const aheadMs = (timesMs.at(-1) ?? 0) - Date.now();
  const behindMs = Date.now() - (timesMs[0] ?? 0);
  const leastMs = (HOUR_S - STEP_SLACK_S) * 1000;
  if (aheadMs < leastMs || behindMs < leastMs) stage.problems.push('its clock was not set');
}

export const clockFaults: readonly Fault[] = [
  {
    name: 'clock-local',
    what: 'the wall clock is set forward and back by an hour; local journal',
    promises: NOBODY_NOTICES,
    lack: fakeClockLack,
    run: (stage) => setClock(stage, []),
  },
  {
    name: 'clock-jetstream',
    what: 'the wall clock is set forward and back by an hour; JetStream',
    isLongOnly: true,
    promises: NOBODY_NOTICES,
    lack: fakeClockLack,
    async run(stage) {
      const nats = await stage.nats();
      await setClock(stage, ['--nats', nats.url]);
    },
  },
  {
    name: 'clock-retries',
    what: 'the clock is set while one order of a hundred is tried again: none waits for an hour',
    promises: NOBODY_NOTICES,
    lack: fakeClockLack,
    async run(stage) {
      const flags = stage.random.once(2) ? [] : ['--nats', (await stage.nats()).url];
      await setClock(stage, flags, { retriedPermille: 10 });
    },
  },
];
