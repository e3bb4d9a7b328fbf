#!/usr/bin/env node
// Runs the compiled fault tests (docs/reference/faults.md):
//   node scripts/faults.mjs --short
//   node scripts/faults.mjs --only nats-kill --seed 7 --times 1
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Where Debian keeps file system tools: root's PATH does not always contain it.
process.env.PATH += ':/usr/sbin:/sbin';

const COMPILED = fileURLToPath(new URL('../dist/test/faults/run-faults.js', import.meta.url));

if (!existsSync(COMPILED)) {
  console.error('the fault tests are not compiled: run `npm run build` first');
  process.exit(1);
}
const node = spawn(process.execPath, [COMPILED, ...process.argv.slice(2)], { stdio: 'inherit' });
// On a signal the tests stop their servers and remove their mounts before they exit.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => node.kill(signal));
node.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
