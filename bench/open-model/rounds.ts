import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Machine } from './machine.js';
import type { Server } from './servers.js';

/** A measurement of servers that take turns. All other members of a run are its settings. */
export interface Run<Round> {
  readonly machine: Machine;
  readonly servers: readonly ServerRounds<Round>[];
}

export interface ServerRounds<Round> {
  readonly name: string;
  readonly flags: readonly string[];
  readonly rounds: Round[];
}

/** As on the command line. */
export interface RoundOptions {
  readonly rounds: string;
  /** Part of the names of the servers to measure; empty: all. */
  readonly only: string;
  /** File to save the run in; empty: none. */
  readonly json: string;
  /** Adds rounds to the run that the file contains, for machines that are free only for a while. */
  readonly continue: boolean;
}

export function noRounds<Round>(servers: readonly Server[]): ServerRounds<Round>[] {
  return servers.map(({ name, flags }) => ({ name, flags, rounds: [] }));
}

/** @throws Error if the saved run has other settings */
export async function takeRounds<Round>(
  run: Run<Round>,
  servers: readonly Server[],
  options: RoundOptions,
  measure: (server: Server) => Promise<Round>,
): Promise<void> {
  const { rounds, only, json } = options;
  if (options.continue && existsSync(json)) await addSaved(run, json);
  for (let round = 1; round <= Number(rounds); round++) {
    for (const [i, server] of run.servers.entries()) {
      if (!server.name.includes(only)) continue;
      server.rounds.push(await measure(servers[i]!));
      console.error(`round ${round} of ${rounds}, ${server.name}`);
      // Saved after each measurement, so that a later failure loses nothing.
      if (json !== '') await writeFile(json, `${JSON.stringify(run)}\n`);
    }
  }
}

async function addSaved<Round>(run: Run<Round>, file: string): Promise<void> {
  const saved = JSON.parse(await readFile(file, 'utf8')) as Run<Round>;
  if (settings(run) !== settings(saved)) {
    throw new Error(`${file} was measured with other settings`);
  }
  for (const [i, { rounds }] of saved.servers.entries()) run.servers[i]!.rounds.push(...rounds);
}

function settings<Round>({ machine: _, servers, ...others }: Run<Round>): string {
  return JSON.stringify([others, servers.map(({ name, flags }) => [name, flags])]);
}
