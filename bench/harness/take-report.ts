import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { natsProgram } from '../../test/support/nats.js';
import { REFERENCE } from '../contestants/bare.js';
import type { Contestant } from '../contestants/contestant.js';
import { wrkProgram } from '../load.js';
import type { BenchOptions } from './bench-options.js';
import { drive } from './drive.js';
import { describeMachine, versionsOf } from './machine.js';
import { pin } from './pinning.js';
import type { Case, LeftOut, Measured, Report } from './report.js';

/**
 * One whole run. Progress is printed on stderr.
 *
 * @param all the reference first
 * @throws OperatorFault for a wrong option, and if there is no load generator
 */
export async function takeReport(
  all: readonly Contestant[],
  options: BenchOptions,
): Promise<Report> {
  const chosen = choose(all, options.only);
  if (options.data !== null) await keepDataUnder(options.data);
  const wrk = await wrkProgram();
  const { present, leftOut } = await sort(chosen);
  const takenAt = new Date().toISOString();
  const machine = await describeMachine();
  const nats = await natsProgram('nats-server').catch(() => 'nats-server');
  const versions = await versionsOf({ wrk, 'nats-server': nats });
  const { core, text: pinning, fault: pinningFault } = await pin(options.pin);
  const { rounds, seconds, warmUpS } = options;
  const { cases, measured, failed } = await runRounds(present, { options, wrk, core });
  return {
    takenAt,
    machine,
    versions,
    options: { rounds, seconds, warmUpS, pinning, pinningFault, only: options.only },
    cases,
    entrants: present.map(({ name, kind, durability, about }) => ({
      name,
      kind,
      durability,
      about,
    })),
    leftOut: [...leftOut, ...failed],
    measured,
  };
}

function choose(all: readonly Contestant[], only: readonly string[]): Contestant[] {
  const matches = (name: string, part: string) => name.toLowerCase().includes(part.toLowerCase());
  for (const part of only) {
    if (all.some(({ name }) => matches(name, part))) continue;
    const names = all.map(({ name }) => name).join('; ');
    throw new OperatorFault(`--only ${part}: must be part of one of ${names}`, EXIT.usage);
  }
  return all.filter(
    ({ name }) =>
      name === REFERENCE || only.length === 0 || only.some((part) => matches(name, part)),
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

interface Run {
  readonly options: BenchOptions;
  readonly wrk: string;
  readonly core: number | undefined;
}

interface Rounds {
  readonly cases: readonly Case[];
  readonly measured: readonly Measured[];
  /** Contestants that failed; what was measured before counts. */
  readonly failed: readonly LeftOut[];
}

/**
 * In each round, and in each case of it, the contestants take turns, so that a slow minute of the machine affects all.
 * A contestant that fails is left out from then on, so that the run of the others is not lost.
 *
 * @throws Error if the first contestant, the reference, fails
 */
async function runRounds(contestants: readonly Contestant[], run: Run): Promise<Rounds> {
  const { wrk, core, options } = run;
  const { seconds, warmUpS } = options;
  const cases = options.bodies.flatMap((body) =>
    options.connections.map((connections) => ({ connections, body })),
  );
  const measured: Measured[] = [];
  const failed: LeftOut[] = [];
  let racing = [...contestants];
  for (let round = 1; round <= options.rounds; round++) {
    for (const { connections, body } of cases) {
      for (const contestant of [...racing]) {
        const { name } = contestant;
        const label = `round ${round} of ${options.rounds}, ${connections} connections, ${body.name}: ${name}`;
        try {
          const load = { wrk, core, connections, body, seconds, warmUpS };
          const figures = await drive(contestant, load);
          measured.push({ contestant: name, connections, body: body.name, round, figures });
          const { requestsPerSecond, errors } = figures;
          console.error(`${label}: ${Math.round(requestsPerSecond)}/s, errors ${errors}`);
        } catch (error) {
          if (contestant === contestants[0]) throw error;
          const reason = `failed in round ${round}: ${(error as Error).message.split('\n')[0]}`;
          console.error(`${label}: ${(error as Error).message}`);
          failed.push({ name, reason, isFailure: true });
          racing = racing.filter((other) => other !== contestant);
        }
      }
    }
  }
  const named = cases.map(({ connections, body }) => ({ connections, body: body.name }));
  return { cases: named, measured, failed };
}
