import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mode } from '../../src/model/options.js';
import type { Verdict } from '../wave/verdicts.js';
import type { WaveOptions } from '../wave/wave-options.js';
import { histogramOf, quantilesOf } from './latencies.js';
import type { Answer, Load, LoadResult } from './load.js';
import type { ActRecord, ServedFigures } from './record.js';
import { durabilityOf, type Sample } from './sample.js';
import { Sampler } from './sampler.js';
import { stepsOf } from './series.js';
import { servedFigures } from './served.js';
import { ServerChild } from './server-child.js';
import type { StoryOptions } from './story-options.js';
import type { Workplace } from './workplace.js';

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
export async function runAct(mode: Mode, stage: Stage): Promise<Act> {
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
