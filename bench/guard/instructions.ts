import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Guarded } from './loops.js';

const PROGRAM = fileURLToPath(new URL('./counted-loop.js', import.meta.url));
/** More than V8 needs to compile the loop. */
const TURNS = 100_000;
/** In case of a hang: on a busy machine a run has taken a minute. */
const RUN_MS_MAX = 180_000;

const VALGRIND_FLAGS = [
  '--tool=cachegrind',
  '--cache-sim=no',
  '--cachegrind-out-file=/dev/null',
  // V8 generates code in memory.
  '--smc-check=all-non-file',
];

/** No helper threads and no timers in V8, so that two runs differ only by the number of turns. */
const NODE_FLAGS = ['--single-threaded', '--predictable'];

/**
 * Instructions in user space per turn. Start and compilation cancel out: the difference of two runs, one with twice as many
 * turns. Other load on the machine does not change the result.
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
 * Instructions in user space of a Node program. With `drive` the program is a server: when it has printed its URL, `drive` runs
 * against it, and then it is stopped.
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
  if (refs === undefined) throw new Error(`valgrind printed no count:\n${text}`);
  return Number(refs.replaceAll(',', ''));
}

/** The path of valgrind, which is installed if it is missing. @throws Error that says how to install it */
export async function valgrindProgram(): Promise<string> {
  // From dist/bench/guard: the script lies outside what is compiled.
  const tools = await import(new URL('../../../scripts/tools.mjs', import.meta.url).href);
  return tools.ensureTool('valgrind');
}
