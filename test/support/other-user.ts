import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Why Forebay cannot be run as that user here, or false: Node, or the clone, can be in a private folder. */
export function otherUserLack(user: number): string | false {
  if (process.getuid?.() !== 0) return 'only root can run a program as another user';
  const version = [MAIN, '--version'];
  const { status } = spawnSync(process.execPath, version, { uid: user, gid: user });
  return status !== 0 && `user ${user} cannot run ${process.execPath} ${MAIN}`;
}
