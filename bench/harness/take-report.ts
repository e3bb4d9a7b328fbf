import { stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { natsProgram } from '../../test/support/nats.js';
import { REFERENCE } from '../contestants/bare.js';
import type { Contestant } from '../contestants/contestant.js';
import { wrkProgram } from '../load.js';
import type { BenchOptions } from './bench-options.js';
import type { Body } from './bodies.js';
import { continued, savedReport } from './continue.js';
import { type Drive, drive } from './drive.js';
import { describeMachine, versionsOf } from './machine.js';
import { pin } from './pinning.js';
import { type Case, type Figures, type LeftOut, type Report, reportText } from './report.js';
import { OTHERS_RATIO_MAX } from './warnings.js';

/**
 * One whole run, or more rounds of one. Progress is printed on stderr, and the report saved after each measurement.
 *
 * @param all the reference first
 * @throws OperatorFault for a wrong option, and if there is no load generator
 */
export async function takeReport(
  all: readonly Contestant[],
  options: BenchOptions,
): Promise<Report> {
  const chosen = choose(all, options);
  if (options.data !== null) await keepDataUnder(options.data);
  const wrk = await wrkProgram();
  const { present, leftOut } = await sort(chosen);
  const nats = await natsProgram('nats-server').catch(() => 'nats-server');
  const machine = await describeMachine();
  const versions = await versionsOf({ wrk, 'nats-server': nats });
  const { core, serverCores, text: pinning, fault: pinningFault } = await pin(options.pin);
  const { rounds, seconds, warmUpS, only } = options;
  const cases = casesOf(options);
  const begun: Report = {
    takenAt: new Date().toISOString(),
    machine,
    versions,
    options: { rounds, seconds, warmUpS, pinning, pinningFault, serverCores, only },
    cases: cases.map(({ body, ...where }) => ({ ...where, body: body.name })),
    entrants: present.map(({ name, kind, durability, about }) => ({
      name,
      kind,
      durability,
      about,
    })),
    leftOut,
    measured: [],
  };
  const { json } = options;
  const saved = options.continue && json !== null ? await savedReport(json) : null;
  const report = saved === null ? begun : continued(saved, begun, all);
  return await runRounds(present, report, { wrk, core, options, cases });
}

function choose(
  all: readonly Contestant[],
  { only, durability, classes }: BenchOptions,
): Contestant[] {
  const matches = (name: string, part: string) => name.toLowerCase().includes(part.toLowerCase());
  for (const part of only) {
    if (all.some(({ name }) => matches(name, part))) continue;
    const names = all.map(({ name }) => name).join('; ');
    throw new OperatorFault(`--only ${part}: must be part of one of ${names}`, EXIT.usage);
  }
  return all.filter(
    (contestant) =>
      contestant.name === REFERENCE ||
      ((only.length === 0 || only.some((part) => matches(contestant.name, part))) &&
        (durability === null || contestant.durability === durability) &&
        (!classes || takesBatches(contestant))),
  );
}

/** Every server keeps its data in a temporary folder, so moving those is enough. */
async function keepDataUnder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found === null || !found.isDirectory()) {
    throw new OperatorFault(`--data ${folder}: must be an existing folder`, EXIT.usage);
  }
  process.env.TMPDIR = resolve(folder);
}

async function sort(chosen: readonly Contestant[]) {
  const present: Contestant[] = [];
  const leftOut: LeftOut[] = [];
  for (const contestant of chosen) {
    const reason = await contestant.missing();
    if (reason === null) present.push(contestant);
    else {
      leftOut.push({ name: contestant.name, reason, isFailure: false });
      console.error(`left out: ${contestant.name}: ${reason}`);
    }
  }
  return { present, leftOut };
}

const ATTEMPTS_MAX = 3;

interface DrivenCase extends Omit<Case, 'body'> {
  readonly body: Body;
}

function casesOf({ bodies, batches, connections, batchConnections }: BenchOptions): DrivenCase[] {
  return bodies.flatMap((body) =>
    batches.flatMap((batch) =>
      (batch === 1 ? connections : [batchConnections]).map((count) => ({
        connections: count,
        body,
        batch,
      })),
    ),
  );
}

interface Run {
  readonly options: BenchOptions;
  readonly cases: readonly DrivenCase[];
  readonly wrk: string;
  readonly core: number | undefined;
}

/**
 * In each round, and in each case of it, the contestants take turns, so that a slow minute of the machine affects all.
 * A contestant that fails is left out from then on, so that the run of the others is not lost.
 *
 * @throws Error if the first contestant, the reference, fails
 */
async function runRounds(
  contestants: readonly Contestant[],
  begun: Report,
  { wrk, core, options, cases }: Run,
): Promise<Report> {
  const { seconds, warmUpS, json } = options;
  const measured = [...begun.measured];
  const leftOut = [...begun.leftOut];
  const report = { ...begun, measured, leftOut };
  const before = Math.max(0, ...measured.map(({ round }) => round));
  let racing = [...contestants];
  for (let round = 1; round <= options.rounds; round++) {
    for (const { body, ...where } of cases) {
      const { connections, batch } = where;
      for (const contestant of batch === 1 ? [...racing] : racing.filter(takesBatches)) {
        const { name } = contestant;
        const label = `round ${round} of ${options.rounds}, ${connections} connections, ${body.name}, ${batch} orders a request: ${name}`;
        try {
          const load = { wrk, core, connections, body, batch, seconds, warmUpS };
          const figures = await driveUndisturbed(contestant, load);
          const at = { ...where, body: body.name, round: before + round };
          measured.push({ contestant: name, ...at, figures });
          const { ordersPerSecond, errors } = figures;
          console.error(`${label}: ${Math.round(ordersPerSecond)}/s, errors ${errors}`);
        } catch (error) {
          if (contestant === contestants[0]) throw error;
          const reason = `failed in round ${round}: ${(error as Error).message.split('\n')[0]}`;
          console.error(`${label}: ${(error as Error).message}`);
          leftOut.push({ name, reason, isFailure: true });
          racing = racing.filter((other) => other !== contestant);
        }
        if (json !== null) await writeFile(json, reportText(report));
      }
    }
  }
  return report;
}

/** Measures again if other processes used the machine meanwhile. @returns the figures that were disturbed least */
async function driveUndisturbed(contestant: Contestant, how: Drive): Promise<Figures> {
  let best: Figures | null = null;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const figures = await drive(contestant, how);
    if (best === null || figures.othersRatio < best.othersRatio) best = figures;
    // Also if it is NaN, because this machine does not say.
    if (!(best.othersRatio > OTHERS_RATIO_MAX)) break;
  }
  return best!;
}

function takesBatches({ batches }: Contestant): boolean {
  return batches !== undefined;
}
