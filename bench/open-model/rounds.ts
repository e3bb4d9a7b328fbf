import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Driven } from './contestants.js';
import type { Machine } from './machine.js';

/** What was measured of servers that took turns, and with which settings: all that it holds but the machine and the rounds. */
export interface Run<Round> {
  readonly machine: Machine;
  readonly servers: readonly ServerRounds<Round>[];
}

export interface ServerRounds<Round> {
  readonly name: string;
  readonly flags: readonly string[];
  readonly rounds: Round[];
}

/** As the command line has them. */
export interface RoundOptions {
  readonly rounds: string;
  /** Part of the names of those that are measured; empty: all. */
  readonly only: string;
  /** The file in which it is kept; empty: none. */
  readonly json: string;
  /** Adds to what that file has from an earlier run, for where the machine is only to be had for a while. */
  readonly continue: boolean;
}

export function noRounds<Round>(driven: readonly Driven[]): ServerRounds<Round>[] {
  return driven.map(({ name, flags }) => ({ name, flags, rounds: [] }));
}

/** @throws Error the earlier run had other settings */
export async function takeRounds<Round>(
  run: Run<Round>,
  driven: readonly Driven[],
  options: RoundOptions,
  measure: (server: Driven) => Promise<Round>,
): Promise<void> {
  const { rounds, only, json } = options;
  if (options.continue && existsSync(json)) await takeUp(run, json);
  for (let round = 1; round <= Number(rounds); round++) {
    for (const [i, server] of run.servers.entries()) {
      if (!server.name.includes(only)) continue;
      server.rounds.push(await measure(driven[i]!));
      console.error(`round ${round} of ${rounds}, ${server.name}`);
      // At once: what was measured is not lost when the next one fails.
      if (json !== '') await writeFile(json, `${JSON.stringify(run)}\n`);
    }
  }
}

async function takeUp<Round>(run: Run<Round>, file: string): Promise<void> {
  const earlier = JSON.parse(await readFile(file, 'utf8')) as Run<Round>;
  if (settings(run) !== settings(earlier)) {
    throw new Error(`${file} was measured with other settings`);
  }
  for (const [i, { rounds }] of earlier.servers.entries()) run.servers[i]!.rounds.push(...rounds);
}

function settings<Round>({ machine: _, servers, ...others }: Run<Round>): string {
  return JSON.stringify([others, servers.map(({ name, flags }) => [name, flags])]);
}
