import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { durationS } from '../../k6/lib/sine.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { Mode } from '../../src/model/options.js';
import { VERSION } from '../../src/version.js';
import { PATH } from '../body-file.js';
import type { Workspace } from '../processes.js';
import { ServerProcess } from '../server-process.js';
import type { Exchange } from '../wave/drive.js';
import { judge, type Verdict } from '../wave/judge.js';
import { settleMsMax, type WaveOptions } from '../wave/options.js';
import { type Reading, ServerWatch, type Watched } from '../wave/server-watch.js';
import { histogramOf, quantilesOf, type ServerFigures, serverFigures } from './figures.js';
import { findK6, K6Load } from './k6-load.js';
import { builtInGenerator, type Drive, type LoadGenerator } from './load.js';
import type { Generator, StoryOptions } from './options.js';
import { Progress, type Terminal } from './progress.js';
import type { Machine, ModeRecord, StoryRecord } from './record.js';

/** For the progress bar: to start a server and a generator, and to end them. */
const AROUND_WAVE_S = 3;
/** Beyond the time that the drain rate asks for. */
const SETTLE_S = 30;
/** A server that dies is noticed by its broken connections up to so much earlier than by its end. */
const DEATH_MS = 1000;
const BYTES_PER_GB = 1024 ** 3;

/** In story.json besides the record: every answer of both modes. */
export interface StoryAnswers {
  readonly direct: readonly Exchange[];
  readonly queue: readonly Exchange[];
}

export interface Story {
  readonly record: StoryRecord;
  readonly answers: StoryAnswers;
}

interface Setting {
  readonly options: StoryOptions;
  readonly load: LoadGenerator;
  readonly workspace: Workspace;
  readonly onReading: (reading: Reading) => void;
}

/**
 * Measures both modes, one after the other.
 *
 * @param args of the command, which the page shows
 * @throws OperatorFault the story could not be measured
 */
export async function runStory(
  options: StoryOptions,
  args: readonly string[],
  workspace: Workspace,
  out: Terminal,
): Promise<Story> {
  const load = await chooseLoad(options.generator, workspace);
  const machine = thisMachine();
  const lastsS = durationS(options.wave) + AROUND_WAVE_S;
  out.write(`two waves of ${durationS(options.wave)} s by ${load.name}, about ${2 * lastsS} s\n`);
  const progress = new Progress(out, 2 * lastsS);
  const setting = { options, load, workspace, onReading: (now: Reading) => progress.show(now) };
  try {
    progress.begin('without a queue', lastsS);
    const direct = await measureMode('direct', setting);
    progress.begin('with a queue', lastsS);
    const queue = await measureMode('queue', setting);
    const { wave, rpsLimit, drainRate } = options;
    const record = {
      forebay: VERSION,
      takenAt: new Date().toISOString(),
      command: commandText(args),
      generator: load.name,
      latencyMeans: load.latencyMeans,
      machine,
      wave,
      rpsLimit,
      drainRate,
      ok: [...direct.record.verdicts, ...queue.record.verdicts].every(({ ok }) => ok),
      direct: direct.record,
      queue: queue.record,
    };
    return { record, answers: { direct: direct.answers, queue: queue.answers } };
  } finally {
    progress.end();
  }
}

async function chooseLoad(generator: Generator, workspace: Workspace): Promise<LoadGenerator> {
  const k6 = generator === 'built-in' ? null : await findK6();
  if (k6 !== null) return new K6Load(k6, workspace);
  if (generator === 'k6') {
    const remedy = 'install it, or run `node scripts/tools.mjs k6`, or drop --generator';
    throw new OperatorFault(`story: no k6 on PATH or under .tools: ${remedy}`, EXIT.failed);
  }
  return builtInGenerator;
}

function commandText(args: readonly string[]): string {
  const words = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`));
  return words.length === 0 ? 'npm run story' : `npm run story -- ${words.join(' ')}`;
}

/**
 * Starts a server in this mode, drives the wave at it, and ends it.
 *
 * @throws OperatorFault the mode could not be measured
 */
async function measureMode(
  mode: Mode,
  setting: Setting,
): Promise<{ record: ModeRecord; answers: readonly Exchange[] }> {
  const { options, load, workspace } = setting;
  const flags = serverFlags(mode, options);
  const server = await ServerProcess.start(workspace, flags, join(workspace.folder, mode));
  const { url, adminUrl } = server;
  const target = { ...options, url, adminUrl, adminToken: null, mode, settleS: SETTLE_S };
  const measured = await Promise.race([measure(target, setting), server.died]).catch(
    async (error: unknown) => {
      // Broken connections are often noticed before the end of the server, which is their cause.
      await Promise.race([server.died, sleep(DEATH_MS)]);
      throw error;
    },
  );
  await server.stop();
  const record = {
    mode,
    serverCommand: `npm start -- ${flags.join(' ')}`,
    loadCommand: load.commandLine(target),
    durability: measured.watched.readings.at(-1)!.durability,
    ...figuresOf(target, measured),
  };
  return { record, answers: measured.driven.exchanges };
}

type Measured = Drive & { readonly watched: Watched };

async function measure(
  target: WaveOptions & { readonly adminUrl: string },
  { load, onReading }: Setting,
): Promise<Measured> {
  const watch = await ServerWatch.begin(target.adminUrl, null, onReading);
  try {
    const drive = await load.drive(target);
    return { ...drive, watched: await watch.end(settleMsMax(target)) };
  } finally {
    watch.stop();
  }
}

function serverFlags(mode: Mode, options: StoryOptions): string[] {
  const { rpsLimit, drainRate, schema, path } = options;
  const own =
    mode === 'direct'
      ? ['--mode', 'direct', '--rps-limit', `${rpsLimit}`]
      : ['--drain-rate', `${drainRate}`];
  const contract = schema === '' ? [] : ['--schema', schema];
  return [...own, ...contract, ...(path === PATH ? [] : ['--path', path])];
}

function figuresOf(target: WaveOptions, { driven, verdicts, watched }: Measured) {
  const { exchanges, offered, dropped, startMs } = driven;
  const latencies = (isWanted: (exchange: Exchange) => boolean) =>
    exchanges.filter(isWanted).map(({ latencyMs }) => latencyMs);
  const all = latencies(() => true);
  const created = latencies(({ outcome }) => outcome === 'created');
  const refused = latencies(({ outcome }) => outcome === 'refused');
  const server = serverFigures(watched, startMs, target.wave);
  const judged = judge(target, driven, watched);
  return {
    offered,
    dropped,
    created: created.length,
    refused: refused.length,
    other: all.length - created.length - refused.length,
    server,
    latencyMs: {
      all: quantilesOf(all),
      created: quantilesOf(created),
      refused: quantilesOf(refused),
    },
    histogram: { created: histogramOf(created), refused: histogramOf(refused) },
    ...judged,
    verdicts: [
      ...judged.verdicts,
      ...verdicts,
      ...sameCounts(server, created.length, refused.length),
    ],
  };
}

/** The answers are drawn as the clients saw them, and the server must have counted the same. */
function sameCounts(server: ServerFigures, created: number, refused: number): Verdict[] {
  return [
    {
      ok: server.created === created,
      text: `200s by the server's count: ${server.created} (by the clients' ${created})`,
    },
    {
      ok: server.refused === refused,
      text: `500s by the server's count: ${server.refused} (by the clients' ${refused})`,
    },
  ];
}

function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round((totalmem() / BYTES_PER_GB) * 10) / 10,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    loadAverage: Math.round(loadavg()[0]! * 100) / 100,
  };
}
