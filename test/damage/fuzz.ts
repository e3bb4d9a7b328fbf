/**
 * Damages a used journal in ways of chance and runs the commands on it: `npm run fuzz:damage -- --seeds 200 --from 0`.
 * A seed takes 2 to 6 s on a machine with 2 cores.
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { journalOf, runAll } from './commands.js';
import { damage } from './damage.js';
import { copyOf, usedFolder } from './used-folder.js';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '200' }, from: { type: 'string', default: '0' } },
});
const ends: (() => Promise<void>)[] = [];
const owner = { after: (end: () => Promise<void>) => void ends.push(end) };
const folder = await usedFolder(owner);
let refused = 0;
let failures = 0;
const from = Number(values.from);
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const copy = copyOf(owner, folder);
  const way = damage(journalOf(copy), seed);
  try {
    if ((await runAll(copy)) !== '') refused++;
  } catch (error) {
    failures++;
    console.log(`${way}: ${(error as Error).message}`);
  }
  rmSync(copy, { recursive: true, force: true });
}
for (const end of ends) await end();
console.log(`${values.seeds} seeds, ${refused} refused, ${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;
