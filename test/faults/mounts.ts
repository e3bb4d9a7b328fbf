import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from '../support/forebay.js';

const MIB = 1024 ** 2;
/** mkfs.xfs makes none below 300 MB. */
const XFS_BYTES = 512 * MIB;
const TRIAL_MIB = 320;

/** Why no file system can be mounted here, or null. */
export function mountLack(): string | null {
  return process.getuid?.() === 0 ? null : 'only root can mount a file system';
}

/** Why a power cut can't be staged here, or null. */
export function powerCutLack(): string | null {
  return (
    mountLack() ??
    programLack(['mkfs.xfs', 'xfs_io', 'losetup'], 'xfsprogs, or util-linux') ??
    trialLack((owner, folder) => new CuttableDisk(owner, folder))
  );
}

/** Root in a container may have no loop devices, and a kernel not every file system: so it is tried. */
function trialLack(mount: (owner: Owner, folder: string) => void): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-mount-'));
  const ends: (() => Promise<void>)[] = [];
  try {
    mount({ after: (end) => ends.push(end) }, folder);
    return null;
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1)!;
  } finally {
    for (const end of ends) void end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function programLack(programs: readonly string[], from: string): string | null {
  for (const program of programs) {
    try {
      execFileSync('which', [program], { stdio: 'ignore' });
    } catch {
      return `${program} is missing (Debian package ${from})`;
    }
  }
  return null;
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export type FileSystem = 'tmpfs' | 'ext4' | 'xfs';

/** How one is made of an image; nothing is kept back for root. */
const MAKE: Readonly<Record<Exclude<FileSystem, 'tmpfs'>, readonly [string, ...string[]]>> = {
  ext4: ['mkfs.ext4', '-q', '-m', '0'],
  xfs: ['mkfs.xfs', '-q'],
};

/** Why a small file system of that kind can't be mounted here, or null. */
export function smallDiskLack(type: FileSystem): string | null {
  if (mountLack() !== null || type === 'tmpfs') return mountLack();
  return (
    programLack([MAKE[type][0], 'losetup'], 'e2fsprogs, xfsprogs or util-linux') ??
    trialLack((owner, folder) => new SmallDisk(owner, folder, TRIAL_MIB, type))
  );
}

/** A file system of a few MiB that can be filled up. */
export class SmallDisk {
  readonly path: string;
  readonly #ballast: string;
  readonly #bytes: number;

  constructor(owner: Owner, folder: string, mib: number, type: FileSystem = 'tmpfs') {
    this.path = join(folder, 'small-disk');
    this.#ballast = join(this.path, 'ballast');
    this.#bytes = mib * MIB;
    mkdirSync(this.path);
    if (type === 'tmpfs') {
      run('mount', '-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', this.path);
    } else {
      const image = join(folder, 'small-disk-image');
      const [program, ...flags] = MAKE[type];
      writeFileSync(image, '');
      truncateSync(image, this.#bytes);
      run(program, ...flags, image);
      run('mount', '-t', type, '-o', 'loop', image, this.path);
    }
    owner.after(async () => {
      run('umount', '--lazy', this.path);
    });
  }

  fill(): void {
    fillDisk(this.#ballast, this.#bytes);
  }

  empty(): void {
    rmSync(this.#ballast, { force: true });
  }
}

/** Takes the room that is left for a file, to the last page. */
export function fillDisk(ballast: string, bytesMax: number): void {
  const block = Buffer.alloc(MIB);
  try {
    for (let bytes = 0; bytes < bytesMax; bytes += MIB) {
      writeFileSync(ballast, block, { flag: 'a' });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** An XFS whose power can be cut: what was written and not yet flushed is gone then. */
export class CuttableDisk {
  readonly path: string;
  readonly #image: string;
  #device = '';

  constructor(owner: Owner, folder: string) {
    this.path = join(folder, 'cuttable-disk');
    this.#image = join(folder, 'disk-image');
    mkdirSync(this.path);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, XFS_BYTES);
    owner.after(async () => this.#release());
    run('mkfs.xfs', '-q', this.#image);
    this.#device = run('losetup', '--find', '--show', this.#image).trim();
    this.#mount();
  }

  /**
   * From here on nothing reaches the disk. End at once whoever writes to it, then `restore`.
   *
   * Power takes the writer along with the disk. XFS alone would let an fsync succeed that is under way at the shutdown,
   * though what it was to keep is gone, and the writer would say so to a client: that was seen in 6 of 100 cuts of a C
   * program that does nothing but append and fsync, and in none of 150 where it was stopped (SIGSTOP) before.
   */
  cut(stopWriter: () => void): void {
    stopWriter();
    run('xfs_io', '-x', '-c', 'shutdown', this.path);
  }

  /** The machine starts again: the file system recovers to what it had flushed. */
  restore(): void {
    run('umount', this.path);
    this.#mount();
  }

  #mount(): void {
    run('mount', '-t', 'xfs', this.#device, this.path);
  }

  #release(): void {
    try {
      run('umount', '--lazy', this.path);
    } catch {
      // A run that ended between the cut and the restore has none.
    }
    if (this.#device !== '') run('losetup', '--detach', this.#device);
    rmSync(this.#image, { force: true });
  }
}
