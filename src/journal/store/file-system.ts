import { spawnSync } from 'node:child_process';
import { type StatsFs, statfsSync } from 'node:fs';
import { type FileSystem, type StorageKind, storageRisk } from '../../model/durability.js';
import type { Log } from '../../model/log.js';

/** By the type that statfs(2) reports. FUSE includes virtiofs and mergerfs. */
const TYPES: Readonly<Record<number, readonly [name: string, kind: StorageKind]>> = {
  16914836: ['tmpfs', 'memory'],
  2240043254: ['ramfs', 'memory'],
  2508478710: ['hugetlbfs', 'memory'],
  2035054128: ['overlay', 'overlay'],
  1635083891: ['aufs', 'overlay'],
  1702057286: ['FUSE', 'fuse'],
  26985: ['NFS', 'network'],
  20859: ['SMB', 'network'],
  4266872130: ['SMB', 'network'],
  4283649346: ['CIFS', 'network'],
  16914839: ['9p', 'network'],
  12805120: ['Ceph', 'network'],
  1397113167: ['AFS', 'network'],
  1799439955: ['AFS', 'network'],
  1937076805: ['Coda', 'network'],
  198183888: ['Lustre', 'network'],
  2020557398: ['vboxsf', 'network'],
  3133910204: ['vmhgfs', 'network'],
};

/** @throws Error the folder cannot be read */
export function fileSystemOf(folder: string): FileSystem {
  const { type } = statfsSync(folder);
  // Types are 32 bits, which some platforms give with a sign.
  const [name, kind] = TYPES[type >>> 0] ?? [`0x${(type >>> 0).toString(16)}`, 'disk'];
  return { name, kind };
}

/** Logs why the data folder may lose orders that were flushed, if so. */
export function reportedFileSystem(folder: string, log: Log): FileSystem {
  const fileSystem = fileSystemOf(folder);
  const risk = storageRisk(fileSystem);
  if (risk !== null) {
    const line = `data folder ${folder}: ${risk.what}; fix: ${risk.fix}`;
    log('data-folder-risk', line, { fileSystem: fileSystem.name });
  }
  return fileSystem;
}

/** What Node reports: `frsize` since Node 24. */
type Reported = Pick<StatsFs, 'bavail' | 'blocks' | 'bsize'> & { readonly frsize?: number };

/** Larger blocks than this are rare on a disk, and common as the unit of transfer of FUSE and network file systems. */
const COMMON_BLOCK_BYTES = 4096;

/**
 * Bytes in one block of the counts of statfs. That is `f_frsize`, not `f_bsize`, the best size of a transfer: mergerfs
 * and virtiofs can have 1 MiB there and count in blocks of 4 KiB.
 * @param ask finds out the size where Node does not report it; NaN if it cannot
 */
export function blockBytes({ bsize, frsize }: Omit<Reported, 'blocks'>, ask: () => number): number {
  if (frsize !== undefined && frsize > 0) return frsize;
  if (bsize <= COMMON_BLOCK_BYTES) return bsize;
  const asked = ask();
  // Too low is safe: it refuses orders early.
  return asked > 0 ? asked : COMMON_BLOCK_BYTES;
}

/** The block size of a file system does not change while it is mounted. */
export class FreeSpace {
  readonly #folder: string;
  #blockBytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws Error the folder cannot be read */
  bytes(): number {
    return this.read().freeBytes;
  }

  /**
   * What this user can still write, and all of the file system.
   * @throws Error the folder cannot be read
   */
  read(): { freeBytes: number; sizeBytes: number } {
    const reported: Reported = statfsSync(this.#folder);
    this.#blockBytes ||= blockBytes(reported, () => askStat(this.#folder));
    const { bavail, blocks } = reported;
    return { freeBytes: bavail * this.#blockBytes, sizeBytes: blocks * this.#blockBytes };
  }
}

/** With stat of coreutils or busybox. */
function askStat(folder: string): number {
  const { stdout } = spawnSync('stat', ['-f', '-c', '%S', folder], { encoding: 'utf8' });
  return Number.parseInt(stdout ?? '', 10);
}
