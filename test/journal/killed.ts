import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * The complete lines that a program printed until it was killed.
 * @param program the compiled file, beside this one
 * @param aliveMs from the first line to SIGKILL
 */
export async function linesUntilKilled(
  program: string,
  args: readonly string[],
  aliveMs: number,
): Promise<string[]> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await once(child.stdout, 'data');
    await sleep(aliveMs);
    child.kill('SIGKILL');
    await once(child, 'close');
    return output.split('\n').slice(0, -1);
  } finally {
    child.kill('SIGKILL');
  }
}
