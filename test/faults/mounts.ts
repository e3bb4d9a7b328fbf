import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from '../support/forebay.js';

const MIB = 1024 ** 2;
/** mkfs.xfs makes none below 300 MB. */
const XFS_BYTES = 512 * MIB;

/** Why no file system can be mounted here, or null. */
export function mountLack(): string | null {
  return process.getuid?.() === 0 ? null : 'only root can mount a file system';
}

/** Why a power cut can't be staged here, or null. */
export function powerCutLack(): string | null {
  const lack = mountLack();
  if (lack !== null) return lack;
  for (const program of ['mkfs.xfs', 'xfs_io', 'losetup']) {
    try {
      execFileSync('which', [program], { stdio: 'ignore' });
    } catch {
      return `${program} is missing (Debian package xfsprogs, or util-linux)`;
    }
  }
  return null;
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A file system of a few MiB that can be filled up. */
export class SmallDisk {
  readonly path: string;
  readonly #ballast: string;
  readonly #bytes: number;

  constructor(owner: Owner, folder: string, mib: number) {
    this.path = join(folder, 'small-disk');
    this.#ballast = join(this.path, 'ballast');
    this.#bytes = mib * MIB;
    mkdirSync(this.path);
    run('mount', '-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', this.path);
    owner.after(async () => {
      run('umount', '--lazy', this.path);
    });
  }

  /** Takes the room that is left, to the last page. */
  fill(): void {
    const block = Buffer.alloc(MIB);
    try {
      for (let bytes = 0; bytes < this.#bytes; bytes += MIB) {
        writeFileSync(this.#ballast, block, { flag: 'a' });
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  empty(): void {
    rmSync(this.#ballast, { force: true });
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
