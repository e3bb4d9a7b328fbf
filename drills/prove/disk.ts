import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join, sep } from 'node:path';
import { quantilesOf } from '../story/figures.js';

/** One statement and whether it held. */
export interface Check {
  readonly ok: boolean;
  readonly text: string;
  /** Not a failure, but something that only the operator can judge. */
  readonly isWarning?: boolean;
}

export interface DiskFigures {
  /** Of the file system that holds the data folder. */
  readonly fileSystem: string;
  readonly device: string;
  readonly mountOptions: string;
  /** `write back`: the device has a cache, which it must flush when it is told to. Empty: unknown. */
  readonly writeCache: string;
  /** Milliseconds to write 4 KiB and flush it. */
  readonly flushMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

const PIECE_BYTES = 4096;
const FLUSHES = 200;
/** No disk flushes its cache in less, as far as is known; the fastest with a protected cache take about 0.02 ms. */
const FLUSH_MS_MIN = 0.01;
/** What an order waits for in a commit, at least, with a disk that spins. */
const SLOW_FLUSH_MS = 20;
const IN_MEMORY = ['tmpfs', 'ramfs'];
const REMOTE = /^(nfs|cifs|smb|9p|ceph|fuse|lustre|afs|vboxsf|virtiofs)/;
/** By which a file system is told not to flush the cache of its device, or not to keep its order. */
const UNSAFE_OPTIONS =
  /(?:^|,)(nobarrier|barrier=0|data=writeback|sync=disabled|norecovery)(?:,|$)/;

interface Mount {
  readonly at: string;
  readonly type: string;
  readonly device: string;
  readonly options: string;
  /** Major and minor number. */
  readonly number: string;
}

/** Measures the disk of a folder. @throws Error it cannot be written */
export function measureDisk(folder: string): DiskFigures {
  const mount = mountOf(folder);
  const flushes = quantilesOf(flushTimes(folder))!;
  return {
    fileSystem: mount?.type ?? 'unknown',
    device: mount?.device ?? 'unknown',
    mountOptions: mount?.options ?? '',
    writeCache: mount === null ? '' : writeCacheOf(mount.number),
    flushMs: { p50: flushes.p50, p99: flushes.p99, max: flushes.max },
  };
}

/** What can be seen of a disk without cutting its power. */
export function diskChecks(disk: DiskFigures, env: NodeJS.ProcessEnv): Check[] {
  const { fileSystem, flushMs, mountOptions, writeCache } = disk;
  const unsafe = UNSAFE_OPTIONS.exec(mountOptions)?.[1] ?? '';
  const isMemory = IN_MEMORY.includes(fileSystem);
  const preloaded = `${env.LD_PRELOAD ?? ''} ${read('/etc/ld.so.preload')}`;
  const p50 = flushMs.p50.toFixed(3);
  return [
    {
      ok: !isMemory,
      text: `the data folder is on ${fileSystem}${isMemory ? ': a power cut or a restart of the machine loses it' : ''}`,
    },
    {
      ok: !REMOTE.test(fileSystem),
      text: REMOTE.test(fileSystem)
        ? `${fileSystem} is not a local file system: its locks and its memory maps may not hold`
        : 'the file system is local',
    },
    {
      ok: unsafe === '',
      text: `mount options: ${unsafe === '' ? 'none that gives up safety' : `${unsafe} gives up safety`}`,
    },
    {
      ok: !preloaded.includes('eatmydata'),
      text: 'no library such as libeatmydata takes the flushes away',
    },
    {
      ok: isMemory || flushMs.p50 >= FLUSH_MS_MIN,
      text: `a flush takes ${p50} ms: ${flushMs.p50 < FLUSH_MS_MIN ? 'too fast for a disk that flushes' : 'a time that a disk can need'}`,
    },
    {
      ok: true,
      isWarning: flushMs.p99 > SLOW_FLUSH_MS,
      text: `1 of 100 flushes takes ${flushMs.p99.toFixed(1)} ms or more: so long an order waits for its 200`,
    },
    {
      ok: true,
      isWarning: writeCache !== 'write through',
      text: cacheText(writeCache),
    },
  ];
}

function cacheText(writeCache: string): string {
  if (writeCache === 'write through')
    return 'the device says that it has no cache that could be lost';
  const what =
    writeCache === '' ? 'it is unknown whether the device has a cache' : 'the device has a cache';
  return `${what}: that it flushes when it is told to can only be seen by cutting the power`;
}

/** Milliseconds of each flush. */
function flushTimes(folder: string): number[] {
  const file = join(folder, 'flush');
  const fd = openSync(file, 'w');
  try {
    const piece = Buffer.alloc(PIECE_BYTES, 1);
    // As the journal does: the blocks are there before, and a flush need not change where they are.
    writeSync(fd, Buffer.alloc(PIECE_BYTES * FLUSHES));
    fsyncSync(fd);
    return Array.from({ length: FLUSHES }, (_, i) => {
      const startMs = performance.now();
      writeSync(fd, piece, 0, PIECE_BYTES, i * PIECE_BYTES);
      fdatasyncSync(fd);
      return performance.now() - startMs;
    });
  } finally {
    closeSync(fd);
    rmSync(file, { force: true });
  }
}

/** The mount that holds a folder; null where the kernel does not say. */
function mountOf(folder: string): Mount | null {
  const mounts = read('/proc/self/mountinfo').split('\n').map(parsedMount);
  const around = mounts.filter(
    (mount): mount is Mount => mount !== null && isInside(folder, mount.at),
  );
  // Of several at one place, the last one is in force.
  return around.reduce<Mount | null>(
    (best, mount) => (best === null || mount.at.length >= best.at.length ? mount : best),
    null,
  );
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
function parsedMount(line: string): Mount | null {
  const [before, after] = line.split(' - ');
  if (after === undefined) return null;
  const [, , number, , at, options] = before!.split(' ');
  const [type, device, ofFileSystem] = after.split(' ');
  const plain = at!.replaceAll(/\\(\d{3})/g, (_, octal) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return {
    at: plain,
    type: type!,
    device: device!,
    number: number!,
    options: `${options},${ofFileSystem}`,
  };
}

function isInside(folder: string, at: string): boolean {
  return at === '/' || folder === at || folder.startsWith(at + sep);
}

/** Of a partition, the cache is that of its disk. */
function writeCacheOf(number: string): string {
  const device = `/sys/dev/block/${number}`;
  return (read(`${device}/queue/write_cache`) || read(`${device}/../queue/write_cache`)).trim();
}

/** Empty if it cannot be read. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
