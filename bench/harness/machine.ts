import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { arch, availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { median } from '../spread.js';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly memoryGb: number;
  /** Of the folder with the servers' data. */
  readonly fileSystem: string;
  /** Median time to append 4 KiB to a file in it and call fdatasync. */
  readonly flushMs: number;
}

/** Magic numbers of statfs(2), hexadecimal. */
const FILE_SYSTEMS: Readonly<Record<string, string>> = {
  ef53: 'ext4',
  '58465342': 'xfs',
  '9123683e': 'btrfs',
  '2fc12fc1': 'zfs',
  '794c7630': 'overlayfs',
  '1021994': 'tmpfs',
  '858458f6': 'ramfs',
};
const IN_MEMORY = ['tmpfs', 'ramfs'];
const FLUSHES = 100;
const FLUSH_BYTES = 4096;

export async function describeMachine(): Promise<Machine> {
  const { type: number } = await statfs(tmpdir());
  return {
    cpu: cpus()[0]?.model ?? arch(),
    cores: availableParallelism(),
    kernel: `${type()} ${release()}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    fileSystem: FILE_SYSTEMS[number.toString(16)] ?? `file system 0x${number.toString(16)}`,
    flushMs: await flushMs(),
  };
}

/** Whether the data was in memory, so that flushes say nothing about a disk. */
export function isInMemory({ fileSystem }: Machine): boolean {
  return IN_MEMORY.includes(fileSystem);
}

async function flushMs(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-bench-'));
  try {
    const file = await open(join(folder, 'flushed'), 'w');
    const times: number[] = [];
    for (let i = 0; i < FLUSHES; i++) {
      const startedMs = performance.now();
      await file.write(Buffer.alloc(FLUSH_BYTES, i));
      await file.datasync();
      times.push(performance.now() - startedMs);
    }
    await file.close();
    return median(times);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Name, program, arguments, and where the version is in the output. */
const VERSION_COMMANDS: readonly (readonly [string, string, readonly string[], RegExp])[] = [
  ['nats-server', 'nats-server', ['--version'], /v(\d\S*)/],
  ['wrk', 'wrk', ['-v'], /wrk (\S+)/],
  ['go', 'go', ['version'], /go(\d\S*)/],
  ['redis-server', 'redis-server', ['--version'], /v=(\S+)/],
  // Not rabbitmqctl, which leaves a daemon running.
  ['rabbitmq-server', 'dpkg-query', ['-s', 'rabbitmq-server'], /Version: (\d\S+)/],
];
const VERSION_MS_MAX = 20_000;

/** @param paths of programs that are not found in PATH */
export async function versionsOf(paths: Readonly<Record<string, string>>) {
  const versions: Record<string, string> = { node: process.versions.node };
  for (const [name, program, args, shape] of VERSION_COMMANDS) {
    const version = shape.exec(await outputOf(paths[name] ?? program, args))?.[1];
    if (version !== undefined) versions[name] = version;
  }
  return versions;
}

/** Ignores exit codes: wrk prints its version and fails. Empty for a missing program. */
function outputOf(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: VERSION_MS_MAX }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}
