/**
 * `npm run bench:overload`: 1, 2 and 4 times the load that a server can take: goodput compared with its peak, responses,
 * latency, memory, and how soon it recovers. The handler is slow, so the backlog grows throughout.
 */
import { leaveNothingBehind } from '../../drills/processes.js';
import type { RunningContestant } from '../contestants/contestant.js';
import { writeSection } from '../doc-section.js';
import { benchFlags } from '../flags.js';
import { residentMaxMb } from '../process-figures.js';
import { type LoadPhase, openLoad } from './generator.js';
import { machine, reserveGeneratorCore } from './machine.js';
import {
  type Memory,
  type OverloadRound,
  type OverloadRun,
  overloadText,
  WINDOW_MS,
} from './overload-report.js';
import { noRounds, takeRounds } from './rounds.js';
import { direct, jetStream, local, type Server } from './servers.js';

/** An order takes 1 ms, so each pool thread does fewer than 1,000 a second. */
const SLOW = ['--work-ms', '1'];
const FACTORS = [1, 2, 4];
/** A warm-up, then the measurement: a closed loop over all connections. */
const CAPACITY: readonly LoadPhase[] = [
  { rate: 0, seconds: 3 },
  { rate: 0, seconds: 3 },
];
/** The small load: little beside the capacity, yet enough requests in a window for a p99. */
const SMALL_SHARE = 0.02;
const SMALL_S = 3;

const servers: readonly Server[] = [local(SLOW), jetStream({}, SLOW), direct(SLOW)];

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
    servers: noRounds(servers),
  };
  await takeRounds(run, servers, values, (server) => measure(server, run, core));
  const text = overloadText(run);
  console.log(text);
  if (values.write) await writeSection('docs/reference/latency.md', 'overload', text);
}

async function measure(server: Server, run: OverloadRun, core: number): Promise<OverloadRound> {
  const running = await server.start();
  try {
    const { connections, timeoutMs } = run;
    // No waiting for a free connection: such a request does not reach the server.
    const bounds = { connections, timeoutMs, waitMs: 0, windowMs: WINDOW_MS, core };
    const [, capacity] = await openLoad(running.url, { ...bounds, phases: CAPACITY });
    const memoryBefore = memoryOf(running);
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
  const small = { rate: Math.round(perSecond * SMALL_SHARE), seconds: SMALL_S };
  const phases = [small, { rate: Math.round(perSecond * factor), seconds }, small];
  const [before, during, after] = await openLoad(server.url, { ...bounds, phases });
  return {
    factor,
    before: before!,
    overload: during!,
    after: after!,
    memory: memoryOf(server),
  };
}

function memoryOf({ pid, behind }: RunningContestant): Memory {
  const behindMb = Object.values(behind).reduce((sum, each) => sum + residentMaxMb(each), 0);
  return { serverMb: residentMaxMb(pid), behindMb };
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
