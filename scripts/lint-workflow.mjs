#!/usr/bin/env node
// Checks .github/workflows with actionlint, which is installed if Go is there; without it, says so and succeeds.
import { spawnSync } from 'node:child_process';
import { ensureTool } from './tools.mjs';

const ROOT = new URL('..', import.meta.url);

const actionlint = await ensureTool('actionlint').catch((error) => {
  console.log(`.github/workflows is not checked: ${error.message}`);
  return null;
});
if (actionlint !== null) {
  const { status } = spawnSync(actionlint, ['-no-color'], { cwd: ROOT, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
