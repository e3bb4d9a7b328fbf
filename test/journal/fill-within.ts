// Fills the disk during a write to the journal, after that write has checked the space. Arguments: the
// journal's folder, the ballast file and its maximal size, and `write` or `transact`. Prints a line for each
// step.
import { rmSync, writeSync } from 'node:fs';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { fillDisk } from '../faults/mounts.js';
import { until } from './frames.js';

const [folder, ballast, bytesMax, how] = process.argv.slice(2) as [string, string, string, string];
const store = new LocalStore(folder);

function make(writes: () => void): Promise<void> {
  if (how === 'write') return store.write(writes);
  store.transact(writes);
  return Promise.resolve();
}

/** Sorted and unsorted, larger and smaller than a page: the most that one transaction gets. */
function putMuch(round: string): void {
  for (let i = 0; i < 32; i++) {
    store.frames.put(Buffer.from(`${round}-frame-${i}`), Buffer.alloc(65_000, round));
  }
  for (let i = 0; i < 8000; i++) {
    store.settled.put(Buffer.from(`${(i * 7919) % 8000}-${round}`), Buffer.alloc(100, round));
  }
}

const say = (line: string) => writeSync(1, `${line}\n`);
await make(() => putMuch('before'));
say('before');
await make(() => {
  fillDisk(ballast, Number(bytesMax));
  putMuch('within');
});
say('within');
await (async () => make(() => putMuch('full')))().catch((error: Error) => say(error.message));
rmSync(ballast);
// XFS frees blocks a moment later.
await until(() => store.shortage === '', 'room again');
await make(() => putMuch('after'));
say('after');
await store.close();
