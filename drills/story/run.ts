import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { durationS } from '../../k6/lib/sine.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { Mode } from '../../src/model/options.js';
import { VERSION } from '../../src/version.js';
import type { WaveOptions } from '../wave/options.js';
import type { Verdict } from '../wave/verdicts.js';
import { findK6, K6Load } from './k6-load.js';
import { type Answer, BuiltInLoad, type Load, type LoadResult } from './load.js';
import type { Generator, StoryOptions } from './options.js';
import type { Workplace } from './processes.js';
import { Progress, type Terminal } from './progress.js';
import {
  type ActRecord,
  histogramOf,
  quantilesOf,
  type ServedFigures,
  type StoryAnswers,
  type StoryRecord,
  thisMachine,
} from './record.js';
import { durabilityOf, type Sample, Sampler } from './sample.js';
import { servedFigures, stepsOf } from './seconds.js';
import { ServerChild } from './server-process.js';

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

/** Beyond what the drain rate asks for. */
const SETTLE_S = 30;
/** How much later than its broken connections the end of a server may be noticed. */
const DEATH_MS = 1000;

export interface Act {
  readonly record: ActRecord;
  readonly answers: readonly Answer[];
}

export interface Stage {
  readonly options: StoryOptions;
  readonly load: Load;
  readonly workplace: Workplace;
  readonly onSample: (sample: Sample) => void;
}

/**
 * Starts a server in this mode, drives the wave at it, and ends it again.
 *
 * @throws OperatorFault it could not be measured
 */
async function runAct(mode: Mode, stage: Stage): Promise<Act> {
  const { options, load, workplace } = stage;
  const flags = serverFlags(mode, options);
  const data = join(workplace.folder, mode);
  const server = await ServerChild.start(workplace.children, flags, data);
  const { url, adminUrl } = server;
  const target = { ...options, url, adminUrl, mode, settleS: SETTLE_S };
  const { result, samples, durability } = await Promise.race([
    measure(target, stage),
    server.died,
  ]).catch(async (error: unknown) => {
    // That it can't be reached is often heard of before its end, which is the cause.
    await Promise.race([server.died, sleep(DEATH_MS)]);
    throw error;
  });
  await server.stop();
  const record = {
    mode,
    serverCommand: `npm start -- ${flags.join(' ')}`,
    loadCommand: load.commandLine(target),
    durability,
    ...recordOf(target, result, samples),
  };
  return { record, answers: result.answers };
}

interface Measured {
  readonly result: LoadResult;
  readonly samples: readonly Sample[];
  readonly durability: string;
}

async function measure(
  target: WaveOptions & { readonly adminUrl: string },
  { load, onSample }: Stage,
): Promise<Measured> {
  const durability = await durabilityOf(target.adminUrl);
  const sampler = new Sampler(target.adminUrl, onSample);
  await sampler.begin();
  const result = await load.drive(target);
  await sampler.end();
  return { result, samples: sampler.samples, durability };
}

function serverFlags(mode: Mode, { limitRps, drainRps }: StoryOptions): string[] {
  return mode === 'direct'
    ? ['--mode', 'direct', '--rps-limit', `${limitRps}`]
    : ['--drain-rate', `${drainRps}`];
}

function recordOf(target: WaveOptions, result: LoadResult, samples: readonly Sample[]) {
  const { answers, offered, dropped, startMs } = result;
  const latencies = (isWanted: (status: number) => boolean) =>
    answers.filter(([, status]) => isWanted(status)).map(([, , latencyMs]) => latencyMs);
  const all = latencies(() => true);
  const created = latencies((status) => status === 200);
  const refused = latencies((status) => status === 500);
  const steps = stepsOf(samples, startMs, target.wave);
  const served = servedFigures(samples, steps, target.wave);
  return {
    offered,
    dropped,
    created: created.length,
    refused: refused.length,
    other: answers.length - created.length - refused.length,
    served,
    latencyMs: {
      all: quantilesOf(all),
      created: quantilesOf(created),
      refused: quantilesOf(refused),
    },
    histogram: { created: histogramOf(created), refused: histogramOf(refused) },
    steps,
    verdicts: [...result.verdicts, ...countedAlike(served, created.length, refused.length)],
  };
}

/** The picture is drawn from the server's counters, the rest from what clients saw. */
function countedAlike(served: ServedFigures, created: number, refused: number): Verdict[] {
  return [
    {
      ok: served.created === created,
      text: `200s by the server's own count: ${served.created}, by the clients' ${created}`,
    },
    {
      ok: served.refused === refused,
      text: `500s by the server's own count: ${served.refused}, by the clients' ${refused}`,
    },
  ];
}
