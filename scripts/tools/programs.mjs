import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Often not on a user's PATH: Debian's daemons, Go's documented folder, and RabbitMQ's scripts. */
const FOLDERS_BEYOND_PATH = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/go/bin',
  '/usr/lib/rabbitmq/bin',
];

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * @param {string} program
 * @returns {string | null} its absolute path
 */
export function findProgram(program) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, ...FOLDERS_BEYOND_PATH]) {
    const file = join(folder, program);
    if (isExecutable(file)) return file;
  }
  return null;
}

/**
 * @param {string} program
 * @returns {string} its absolute path
 * @throws {Error} one line
 */
export function requireProgram(program) {
  const file = findProgram(program);
  if (file === null) throw new Error(`no ${program} on this machine`);
  return file;
}

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<string>} its stdout and stderr
 * @throws {Error} one line: the program and the last line it printed
 */
export async function runProgram(program, args, { cwd, env } = {}) {
  const file = requireProgram(program);
  try {
    const { stdout, stderr } = await run(file, [...args], {
      cwd,
      env: { ...process.env, ...env },
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return stdout + stderr;
  } catch (error) {
    const said = String(error.stderr || error.stdout || error.message).trim();
    throw new Error(`${program}: ${said.split('\n').at(-1)}`);
  }
}

export function isRoot() {
  return process.getuid?.() === 0;
}

/** @param {string} text */
export function progress(text) {
  process.stderr.write(`tools: ${text}\n`);
}
