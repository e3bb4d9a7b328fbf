import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void;
type Buffers = readonly NodeJS.ArrayBufferView[];

/** A write that the system has made, of which nobody has been told yet. */
interface HeldWrite {
  readonly bytes: number;
  /** Tells of it, as it was made or as it is said here. */
  tell(error?: Error | null, bytes?: number): void;
}

/**
 * The disk answers writes in any order. Here each `writev` of this process is made when it is asked for, at most
 * `takes()` bytes of it, and told of when the test says so.
 */
export class HeldWrites {
  readonly held: HeldWrite[] = [];

  constructor(t: TestContext, takes: () => number = () => Number.POSITIVE_INFINITY) {
    const writev = (descriptor: number, buffers: Buffers, position: number, told: Written) => {
      const all = Buffer.concat(buffers.map((part) => part as Uint8Array));
      const bytes = fs.writeSync(descriptor, all, 0, Math.min(all.length, takes()), position);
      this.held.push({
        bytes,
        tell: (error = null, said = bytes) => told(error as NodeJS.ErrnoException, said),
      });
    };
    t.mock.method(fs, 'writev', writev as unknown as typeof fs.writev);
    // What was imported by name follows only then.
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
  }
}
