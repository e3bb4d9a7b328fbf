import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';

/** In the environment of this process, and so of all that it starts, and of what they start. */
const MARK = 'STARTED_UNDER';

/**
 * Waits for the end of its input, which comes however this process ends; then kills whoever carries the mark and removes
 * the folder. More than once, for what is killed may just have started another.
 */
const SCRIPT = `
trap '' HUP INT TERM
read -r _
for again in 1 2 3; do
  for file in $(grep -lsxz -e "$1" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -9 "\${pid%/environ}"
  done
done
if [ -n "$FOLDER" ]; then rm -rf "$FOLDER"; fi
`;

/**
 * For a process that starts others and must leave none behind, though it be killed: from now on a shell watches over it.
 * Linux only. To be called before anything is started.
 *
 * @param folder to be removed as well, where there is one
 */
export function leaveNothingBehind(folder = ''): void {
  const mark = randomUUID();
  // In a session of its own: what ends this one, such as a closed terminal, does not end it.
  const watch = spawn('sh', ['-c', SCRIPT, 'sh', `${MARK}=${mark}`], {
    env: { PATH: process.env.PATH, FOLDER: folder },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a shell all is as it would be without the watch.
  watch.once('error', () => {});
  watch.unref();
  (watch.stdin as unknown as { unref(): void }).unref();
  process.env[MARK] = mark;
}
