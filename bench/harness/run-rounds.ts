import type { Contestant } from '../contestants/contestant.js';
import type { BenchOptions } from './bench-options.js';
import type { Body } from './bodies.js';
import { type Drive, drive } from './drive.js';
import type { Case, LeftOut, Measured } from './report.js';

export interface Run {
  readonly options: BenchOptions;
  readonly wrk: string;
  readonly core: number | undefined;
  tell(line: string): void;
}

export interface Rounds {
  readonly cases: readonly Case[];
  readonly measured: readonly Measured[];
  /** Those that failed; what they did before counts. */
  readonly failed: readonly LeftOut[];
}

/**
 * Round by round, and in each round case by case, every contestant has its turn: a slow spell of the machine meets them all.
 * One that fails is left out from then on, so that the others' hour is not lost.
 *
 * @throws Error when the first, the yardstick, fails
 */
export async function runRounds(contestants: readonly Contestant[], run: Run): Promise<Rounds> {
  const { options, tell } = run;
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
          const figures = await drive(contestant, driveOf(run, connections, body));
          measured.push({ contestant: name, connections, body: body.name, round, figures });
          const { requestsPerSecond, errors } = figures;
          tell(`${label}: ${Math.round(requestsPerSecond)}/s, errors ${errors}`);
        } catch (error) {
          if (contestant === contestants[0]) throw error;
          const reason = `failed in round ${round}: ${(error as Error).message.split('\n')[0]}`;
          tell(`${label}: ${(error as Error).message}`);
          failed.push({ name, reason, isFailure: true });
          racing = racing.filter((other) => other !== contestant);
        }
      }
    }
  }
  const named = cases.map(({ connections, body }) => ({ connections, body: body.name }));
  return { cases: named, measured, failed };
}

function driveOf({ options, wrk, core }: Run, connections: number, body: Body): Drive {
  const { seconds, warmUpS } = options;
  return { wrk, core, connections, body, seconds, warmUpS };
}
