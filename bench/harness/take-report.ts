import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { natsProgram } from '../../test/support/nats.js';
import { YARDSTICK } from '../contestants/bare.js';
import type { Contestant } from '../contestants/contestant.js';
import { wrkProgram } from '../load.js';
import type { BenchOptions } from './bench-options.js';
import { describeMachine, versionsOf } from './machine.js';
import { pin } from './pinning.js';
import type { LeftOut, Report } from './report.js';
import { runRounds } from './run-rounds.js';

/**
 * One whole run. Its course is told on stderr.
 *
 * @param all the yardstick first
 * @throws OperatorFault where there is nothing to measure, no generator, or no folder for the data
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
  const { cases, measured, failed } = await runRounds(present, { options, wrk, core, tell });
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

function tell(line: string): void {
  console.error(line);
}

function choose(all: readonly Contestant[], only: readonly string[]): Contestant[] {
  const isNamed = (name: string, part: string) => name.toLowerCase().includes(part.toLowerCase());
  for (const part of only) {
    if (all.some(({ name }) => isNamed(name, part))) continue;
    const names = all.map(({ name }) => name).join('; ');
    throw new OperatorFault(`--only ${part}: part of one of ${names}`, EXIT.usage);
  }
  return all.filter(
    ({ name }) =>
      name === YARDSTICK || only.length === 0 || only.some((part) => isNamed(name, part)),
  );
}

/** Every server keeps its data in a folder for temporary files, which it asks the system for. */
async function keepDataUnder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found === null || !found.isDirectory()) {
    throw new OperatorFault(`--data ${folder}: must be a folder that there is`, EXIT.usage);
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
      tell(`left out: ${contestant.name}: ${reason}`);
    }
  }
  return { present, leftOut };
}
