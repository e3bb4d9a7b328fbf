import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Owner } from '../support/forebay.js';
import { eventually } from '../support/orders.js';

const MIB = 1024 ** 2;
/** The minimum of mkfs.xfs is 300 MB. */
const XFS_BYTES = 512 * MIB;
const TRIAL_MIB = 320;

/** Why no file system can be mounted here, or null. */
export function mountLack(): string | null {
  return process.getuid?.() === 0 ? null : 'only root can mount a file system';
}

/** Why a power cut cannot be simulated here, or null. */
export function powerCutLack(): string | null {
  return (
    mountLack() ??
    programLack(['mkfs.xfs', 'xfs_io', 'losetup'], 'xfsprogs, or util-linux') ??
    trialLack((owner, folder) => new CuttableDisk(owner, folder))
  );
}

/** Tries it: a container may have no loop devices, and a kernel may lack the file system. */
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

/** Arguments of mkfs; no blocks are reserved for root. */
const MAKE: Readonly<Record<Exclude<FileSystem, 'tmpfs'>, readonly [string, ...string[]]>> = {
  ext4: ['mkfs.ext4', '-q', '-m', '0'],
  xfs: ['mkfs.xfs', '-q'],
};

/** Why a small file system of that type cannot be mounted here, or null. */
export function smallDiskLack(type: FileSystem): string | null {
  if (mountLack() !== null || type === 'tmpfs') return mountLack();
  return (
    programLack([MAKE[type][0], 'losetup'], 'e2fsprogs, xfsprogs or util-linux') ??
    trialLack((owner, folder) => new SmallDisk(owner, folder, TRIAL_MIB, type))
  );
}

/** Random times of a run, and waiting. */
interface Times {
  between(leastMs: number, mostMs: number): number;
  pass(ms: number): Promise<void>;
}

const FILLS = 8;

/** A file system of a few MiB that can be filled. */
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

  /** Fills and empties it eight times at random moments, so that some of them are within a write. */
  async fillRepeatedly(stage: Times): Promise<void> {
    for (let i = 0; i < FILLS; i++) {
      this.fill();
      await stage.pass(stage.between(20, 200));
      this.empty();
      await stage.pass(stage.between(200, 600));
    }
  }
}

/** Writes a file until no space is left. */
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

/** An XFS file system that can lose power: written data that was not flushed is lost. */
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
   * Nothing reaches the disk from now on. Kill the writer at once, then call `restore`.
   *
   * Stops the writer (SIGSTOP) first, as a real power failure does. Otherwise XFS lets an fsync succeed that is in progress
   * at the shutdown, although its data is lost: seen in 6 of 100 cuts of a C program that only appends and calls fsync, and
   * in none of 150 with the stop.
   */
  cut(stopWriter: () => void): void {
    stopWriter();
    run('xfs_io', '-x', '-c', 'shutdown', this.path);
  }

  /** Power is back: the file system recovers what was flushed. */
  async restore(): Promise<void> {
    run('umount', this.path);
    // A mount namespace that another program made meanwhile keeps it, and a mount would show the dead one again.
    const kept = `/sys/fs/xfs/${basename(this.#device)}`;
    await eventually(`${kept} is gone`, () => !existsSync(kept));
    this.#mount();
  }

  #mount(): void {
    run('mount', '-t', 'xfs', this.#device, this.path);
  }

  #release(): void {
    try {
      run('umount', '--lazy', this.path);
    } catch {
      // Not mounted if the run ended between `cut` and `restore`.
    }
    if (this.#device !== '') run('losetup', '--detach', this.#device);
    rmSync(this.#image, { force: true });
  }
}
