import { spawnSync } from 'node:child_process';
import { toolPath } from '../support/program.js';

/** The report of `promtool check metrics` on a text exposition; empty if it accepts it. */
export async function promtoolComplaints(text: string): Promise<string> {
  const promtool = process.env.FOREBAY_PROMTOOL || (await toolPath('promtool'));
  const run = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (run.error !== undefined) throw run.error;
  return run.stdout + run.stderr + (run.status === 0 ? '' : `exit code ${run.status}`);
}
