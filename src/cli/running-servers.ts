import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';

/** A process that runs `forebay serve`. */
export interface RunningServer {
  readonly pid: number;
  /** What follows `serve`. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Its current folder, from which relative paths start. */
  readonly folder: string;
}

const PROC = '/proc';

/** The servers of this installation in this container, or on this machine. Empty on systems other than Linux. */
export function runningServers(): RunningServer[] {
  const main = realpathSync(process.argv[1]!);
  return namesIn(PROC)
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => serverOf(Number(name), main))
    .filter((server) => server !== null);
}

/** Null if the process is another program, or has ended. */
function serverOf(pid: number, main: string): RunningServer | null {
  try {
    const words = textsIn(`${PROC}/${pid}/cmdline`);
    if (!words.some((word) => /(?:main\.js|forebay)$/.test(word))) return null;
    const folder = readlinkSync(`${PROC}/${pid}/cwd`);
    const at = words.findIndex((word) => isFile(resolve(folder, word), main));
    const [command = 'serve', ...rest] = words.slice(at + 1);
    if (at === -1 || (command !== 'serve' && !command.startsWith('-'))) return null;
    const argv = command === 'serve' ? rest : [command, ...rest];
    const env = Object.fromEntries(
      textsIn(`${PROC}/${pid}/environ`).map((pair) => {
        const equals = pair.indexOf('=');
        return [pair.slice(0, equals), pair.slice(equals + 1)];
      }),
    );
    return { pid, argv, env, folder };
  } catch {
    return null;
  }
}

function isFile(path: string, file: string): boolean {
  try {
    return /(?:main\.js|forebay)$/.test(path) && realpathSync(path) === file;
  } catch {
    return false;
  }
}

/** Texts that end with NUL. */
function textsIn(file: string): string[] {
  return readFileSync(file, 'utf8').split('\0').slice(0, -1);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
