/**
 * `npm run bench:overload`: what is offered 1, 2 and 4 times of what it can take: goodput against the peak, answers, latency
 * of what was accepted, memory, and how soon it is its old self. With a slow handler, so that the backlog grows throughout.
 */
import { leaveNothingBehind } from '../../drills/story/processes.js';
import type { RunningContestant } from '../contestants/contestant.js';
import { benchFlags } from '../flags.js';
import { type Driven, direct, jetStream, local } from './contestants.js';
import { reserveGeneratorCore } from './cores.js';
import { writeSection } from './docs-section.js';
import { type LoadPhase, openLoad, type SeenPhase } from './generator.js';
import { machine } from './machine.js';
import { type Memory, memoryOf } from './memory.js';
import { overloadText, WINDOW_MS } from './overload-report.js';
import { noRounds, type Run, takeRounds } from './rounds.js';

/** An order takes 1 ms, so each pool thread does fewer than 1,000 a second. */
const SLOW = ['--work-ms', '1'];
const FACTORS = [1, 2, 4];
/** A closed loop over all connections, after as much to warm up, finds the capacity. */
const CAPACITY: readonly LoadPhase[] = [
  { rate: 0, seconds: 3 },
  { rate: 0, seconds: 3 },
];
/** Small beside the capacity of each server, yet enough requests in a window to have a p99. */
const PROBE_SHARE = 0.02;
const PROBE_S = 3;

export interface OverloadRun extends Run<OverloadRound> {
  readonly serverCores: string;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly seconds: number;
}

/** One start of one server. */
export interface OverloadRound {
  readonly capacity: SeenPhase;
  readonly memoryBefore: Memory;
  readonly factors: readonly {
    readonly factor: number;
    readonly before: SeenPhase;
    readonly overload: SeenPhase;
    readonly after: SeenPhase;
    /** The most that was held so far, the server's process and those behind it. */
    readonly memory: Memory;
  }[];
}

const driven: readonly Driven[] = [local(SLOW), jetStream({}, SLOW), direct(SLOW)];

async function main(): Promise<void> {
  leaveNothingBehind();
  const values = benchFlags({
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '4096' },
    'timeout-ms': { type: 'string', default: '1000' },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: '' },
    continue: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  });
  const { core, serverCores } = reserveGeneratorCore();
  const run: OverloadRun = {
    machine: await machine(),
    serverCores,
    connections: Number(values.connections),
    timeoutMs: Number(values['timeout-ms']),
    seconds: Number(values.seconds),
    servers: noRounds(driven),
  };
  await takeRounds(run, driven, values, (server) => measure(server, run, core));
  const text = overloadText(run);
  console.log(text);
  if (values.write) await writeSection('overload', text);
}

async function measure(server: Driven, run: OverloadRun, core: number): Promise<OverloadRound> {
  const running = await server.start();
  try {
    const { connections, timeoutMs } = run;
    // No waiting in line: who finds no connection has not reached the server, and is not its to answer for.
    const bounds = { connections, timeoutMs, waitMs: 0, windowMs: WINDOW_MS, core };
    const [, capacity] = await openLoad(running.url, { ...bounds, phases: CAPACITY });
    const memoryBefore = await memoryOf(running);
    const perSecond = capacity!.createdInTime / capacity!.seconds;
    const factors: OverloadRound['factors'][number][] = [];
    for (const factor of FACTORS) {
      factors.push(await overload(running, factor, perSecond, run.seconds, bounds));
    }
    return { capacity: capacity!, memoryBefore, factors };
  } finally {
    await running.stop();
  }
}

async function overload(
  server: RunningContestant,
  factor: number,
  perSecond: number,
  seconds: number,
  bounds: Omit<Parameters<typeof openLoad>[1], 'phases'>,
): Promise<OverloadRound['factors'][number]> {
  const probe = { rate: Math.round(perSecond * PROBE_SHARE), seconds: PROBE_S };
  const phases = [probe, { rate: Math.round(perSecond * factor), seconds }, probe];
  const [before, during, after] = await openLoad(server.url, { ...bounds, phases });
  return {
    factor,
    before: before!,
    overload: during!,
    after: after!,
    memory: await memoryOf(server),
  };
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
