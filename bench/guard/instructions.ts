import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Guarded } from './loops.js';

const PROGRAM = fileURLToPath(new URL('./counted-loop.js', import.meta.url));
/** Past the point where V8 has compiled the loop for good. */
const TURNS = 100_000;
/** Against a hang: beside other work on two cores a run has taken a minute. */
const RUN_MS_MAX = 180_000;

const VALGRIND_FLAGS = [
  '--tool=cachegrind',
  '--cache-sim=no',
  '--cachegrind-out-file=/dev/null',
  // V8 writes code into memory that is not from a file.
  '--smc-check=all-non-file',
];

/** One thread and no timers of V8's own, so that two runs differ by nothing but the turns. */
const NODE_FLAGS = ['--single-threaded', '--predictable'];

/**
 * Instructions in user space a turn, start and compilation left out: the difference of two runs of which one does twice
 * as many turns. Other work on the machine does not change them.
 *
 * @param valgrind path of the program
 */
export async function instructionsOf(
  valgrind: string,
  guarded: Guarded,
  times: number,
): Promise<number> {
  const [once, twice] = await Promise.all(
    [TURNS, 2 * TURNS].map((turns) =>
      countInstructions(valgrind, [PROGRAM, guarded, `${turns}`, `${times}`]),
    ),
  );
  return (twice! - once!) / TURNS;
}

/**
 * Instructions in user space of all that a program of Node does. Where `drive` is given, it is a server that is driven
 * once it has said where it listens, and ended then.
 */
export async function countInstructions(
  valgrind: string,
  command: readonly string[],
  drive: ((url: string) => Promise<void>) | null = null,
): Promise<number> {
  const args = [...VALGRIND_FLAGS, process.execPath, ...NODE_FLAGS, ...command];
  const child = spawn(valgrind, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: RUN_MS_MAX });
  const exited = once(child, 'close');
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  try {
    if (drive !== null) {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      await drive(/http:\S+/.exec(line)![0]);
      child.kill('SIGTERM');
    }
    await exited;
  } finally {
    child.kill('SIGKILL');
  }
  const refs = /I\s+refs:\s+([\d,]+)/.exec(text)?.[1];
  if (refs === undefined) throw new Error(`valgrind counted nothing:\n${text}`);
  return Number(refs.replaceAll(',', ''));
}

/** The path of valgrind, got where it is missing. @throws Error that says how to get it */
export async function valgrindProgram(): Promise<string> {
  // From dist/bench/guard: the script lies outside what is compiled.
  const tools = await import(new URL('../../../scripts/tools.mjs', import.meta.url).href);
  return tools.ensureTool('valgrind');
}
