import { spawnSync } from 'node:child_process';

/** What `promtool check metrics` has to say about a text exposition; empty when it is content. */
export function promtoolComplaints(text: string): string {
  const promtool = process.env.FOREBAY_PROMTOOL || 'promtool';
  const run = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (run.error !== undefined) {
    const remedy = 'install the package prometheus, or set FOREBAY_PROMTOOL to its path';
    throw new Error(`${promtool}: ${run.error.message}; ${remedy}`);
  }
  return run.stdout + run.stderr + (run.status === 0 ? '' : `exit code ${run.status}`);
}
