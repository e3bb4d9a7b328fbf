import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../monitoring/rule-files.js';

export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** A stage of the Dockerfile. */
export interface Stage {
  /** Empty where it has none. */
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** The Dockerfile's stages, each with the instructions after its FROM. */
export function dockerfileStages(): Stage[] {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').replace(/\\\n/g, '');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const stages: { name: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, word, rest] = /^(\w+) +(.*)$/.exec(line)!;
    if (word === 'FROM')
      stages.push({ name: / AS (\w+)/.exec(rest!)?.[1] ?? '', instructions: [] });
    else stages.at(-1)!.instructions.push({ word: word!, rest: rest!.replace(/ +/g, ' ') });
  }
  return stages;
}

/** Whether .dockerignore lets the builder see this path; the file says `*`, then what there is. */
export function isInContext(path: string): boolean {
  const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
  const allowed = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  return allowed.some((entry) => path === entry || path.startsWith(`${entry}/`));
}

/** The last of that word in a stage. */
export function lastOf({ instructions }: Stage, word: string): string {
  return instructions.findLast((instruction) => instruction.word === word)!.rest;
}
