import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void;
type Buffers = readonly NodeJS.ArrayBufferView[];

/** A write that was made but not reported yet. */
interface DelayedWrite {
  readonly bytes: number;
  /** Reports it, as it was made or with this result. */
  report(error?: Error | null, bytes?: number): void;
}

/**
 * A disk completes writes in any order. Here each `writev` of this process is made at once, with at most
 * `takes()` bytes, and reported when the test says so.
 */
export class DelayedWrites {
  readonly delayed: DelayedWrite[] = [];

  constructor(t: TestContext, takes: () => number = () => Number.POSITIVE_INFINITY) {
    const writev = (descriptor: number, buffers: Buffers, position: number, onWritten: Written) => {
      const all = Buffer.concat(buffers.map((part) => part as Uint8Array));
      const bytes = fs.writeSync(descriptor, all, 0, Math.min(all.length, takes()), position);
      this.delayed.push({
        bytes,
        report: (error = null, written = bytes) =>
          onWritten(error as NodeJS.ErrnoException, written),
      });
    };
    t.mock.method(fs, 'writev', writev as unknown as typeof fs.writev);
    // Updates the named imports.
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
  }
}
