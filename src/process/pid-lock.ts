import { closeSync, existsSync, openSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, OperatorFault } from '../model/fault.js';
import { closed, isListening, listening, type Release } from './locks.js';

/** How long a server waits for a command, such as `forebay check`, which takes about as long. */
const WAIT_MS_MAX = 5000;
const RETRY_MS = 100;

interface Held {
  readonly release: Release;
  users: number;
}

/** By folder. A process can use its own folder more than once. */
const held = new Map<string, Promise<Held>>();

/**
 * Claims the process id of this process in a data folder. LMDB tells the processes that use a file apart by their
 * ids: each holds a lock on the byte of that number. In two containers, which have process ids of their own, two
 * processes can have the same one, mostly 1. LMDB then fails in the middle of a read.
 *
 * The lock is a socket in the folder: containers that share a folder share nothing else. Where there are no sockets,
 * there is no lock.
 *
 * @throws OperatorFault a process with the same id uses the folder
 */
export async function claimPid(folder: string, { waits = false } = {}): Promise<Release> {
  if (process.platform !== 'linux' || !existsSync(folder)) return async () => {};
  const key = realpathSync(folder);
  const holding = held.get(key) ?? lockPid(folder, waits);
  held.set(key, holding);
  try {
    (await holding).users++;
  } catch (error) {
    held.delete(key);
    throw error;
  }
  return async () => {
    const lock = await holding;
    lock.users--;
    if (lock.users > 0) return;
    held.delete(key);
    await lock.release();
  };
}

async function lockPid(folder: string, waits: boolean): Promise<Held> {
  // A path through the open folder is short enough for a socket. The folder stays open as long as the lock.
  const fd = openSync(folder, 'r');
  const nameOf = (pid: string) => `/proc/self/fd/${fd}/pid-${pid}.sock`;
  const own = nameOf(String(process.pid));
  try {
    const deadlineMs = performance.now() + (waits ? WAIT_MS_MAX : 0);
    while (await isListening(own)) {
      if (performance.now() >= deadlineMs) throw sameId(folder);
      await sleep(RETRY_MS);
    }
    // A command changes nothing but its own.
    if (waits) await removeLeft(fd, nameOf);
    else rmSync(own, { force: true });
    const server = await listening({ path: own });
    server.unref();
    return {
      users: 0,
      release: async () => {
        await closed(server);
        closeSync(fd);
      },
    };
  } catch (error) {
    closeSync(fd);
    if (error instanceof OperatorFault) throw error;
    // This file system, or this sandbox, has no sockets.
    return { users: 0, release: async () => {} };
  }
}

/** What processes left that were killed. */
async function removeLeft(fd: number, nameOf: (pid: string) => string): Promise<void> {
  for (const name of readdirSync(`/proc/self/fd/${fd}`)) {
    const pid = /^pid-(\d+)\.sock$/.exec(name)?.[1];
    if (pid === undefined || (await isListening(nameOf(pid)))) continue;
    rmSync(nameOf(pid), { force: true });
  }
}

function sameId(folder: string): OperatorFault {
  return new OperatorFault(
    `data folder ${folder}: a Forebay in another container uses it and has the same process id, ${process.pid}, by which LMDB tells processes apart: stop it, or run commands in its container (docker exec, kubectl exec) or with its process ids (docker run --pid container:NAME)`,
    EXIT.failed,
  );
}
