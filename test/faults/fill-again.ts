import type { SmallDisk } from './mounts.js';
import type { Stage } from './stage.js';

const TIMES = 8;

/** Full and not full, again and again: each time somebody may be within a write. */
export async function fillAgain(stage: Stage, disk: SmallDisk): Promise<void> {
  for (let i = 0; i < TIMES; i++) {
    disk.fill();
    await stage.pass(stage.between(20, 200));
    disk.empty();
    await stage.pass(stage.between(200, 600));
  }
}
