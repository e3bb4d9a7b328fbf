import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
];

/** Why clocks cannot be set here, or null. */
export function fakeClockLack(): string | null {
  return LIBRARIES.some((file) => existsSync(file))
    ? null
    : 'libfaketime is missing (Debian package faketime)';
}

/** Sets the wall clock of a process while it runs. Its monotonic clock is not affected. */
export class FakeClock {
  /** For the environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'clock');
    this.set(0);
    this.env = {
      LD_PRELOAD: LIBRARIES.find((file) => existsSync(file))!,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // The name of the same option before libfaketime 0.9.9.
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** @param aheadS seconds ahead of the true time; negative: behind */
  set(aheadS: number): void {
    const next = `${this.#file}.next`;
    writeFileSync(next, `${aheadS < 0 ? '' : '+'}${aheadS}\n`);
    // Atomic, because the process may read it at any time.
    renameSync(next, this.#file);
  }
}
