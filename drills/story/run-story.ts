import { durationS } from '../../k6/lib/sine.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { VERSION } from '../../src/version.js';
import { runAct, type Stage } from './act.js';
import { BuiltInLoad } from './built-in-load.js';
import { K6Load } from './k6-load.js';
import { findK6 } from './k6-program.js';
import type { Load } from './load.js';
import { thisMachine } from './machine.js';
import { Progress, type Terminal } from './progress.js';
import type { StoryAnswers, StoryRecord } from './record.js';
import type { Generator, StoryOptions } from './story-options.js';
import type { Workplace } from './workplace.js';

/** For the progress bar: to start a server and a generator, and to end them. */
const AROUND_ACT_S = 3;

export interface Story {
  readonly record: StoryRecord;
  readonly answers: StoryAnswers;
}

/**
 * Measures both modes, one after the other.
 *
 * @param args of the command, which the page shows
 * @throws OperatorFault it could not be measured
 */
export async function runStory(
  options: StoryOptions,
  args: readonly string[],
  workplace: Workplace,
  out: Terminal,
): Promise<Story> {
  const load = await chooseLoad(options.generator, workplace);
  const machine = thisMachine();
  const actS = durationS(options.wave) + AROUND_ACT_S;
  out.write(`two waves of ${durationS(options.wave)} s by ${load.name}, about ${2 * actS} s\n`);
  const progress = new Progress(out, 2 * actS);
  const stage: Stage = {
    options,
    load,
    workplace,
    onSample: (sample) => progress.show(sample),
  };
  try {
    progress.begin('without a queue', actS);
    const direct = await runAct('direct', stage);
    progress.begin('with a queue', actS);
    const queue = await runAct('queue', stage);
    const { wave, limitRps, drainRps } = options;
    const record = {
      forebay: VERSION,
      takenAt: new Date().toISOString(),
      command: commandText(args),
      generator: load.name,
      latencyMeans: load.latencyMeans,
      machine,
      wave,
      limitRps,
      drainRps,
      ok: [...direct.record.verdicts, ...queue.record.verdicts].every(({ ok }) => ok),
      direct: direct.record,
      queue: queue.record,
    };
    return { record, answers: { direct: direct.answers, queue: queue.answers } };
  } finally {
    progress.end();
  }
}

async function chooseLoad(generator: Generator, workplace: Workplace): Promise<Load> {
  const k6 = generator === 'built-in' ? null : await findK6();
  if (k6 !== null) return new K6Load(k6, workplace);
  if (generator === 'k6') {
    const remedy = 'install it, or get it by `node scripts/tools.mjs k6`, or drop --generator';
    throw new OperatorFault(`story: no k6 on PATH or under .tools: ${remedy}`, EXIT.failed);
  }
  return new BuiltInLoad();
}

function commandText(args: readonly string[]): string {
  const words = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`));
  return words.length === 0 ? 'npm run story' : `npm run story -- ${words.join(' ')}`;
}
