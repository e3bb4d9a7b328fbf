import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { EXIT, OperatorFault } from '../model/fault.js';

/** Gives up a claim. A claim that is never given up lasts for as long as this process lives. */
export type Release = () => Promise<void>;

/**
 * Claims a data folder, which must exist. Two servers on one folder would process each order twice. A name in the
 * kernel keeps out processes in the same network namespace; a socket in the folder keeps out processes that share
 * only the folder, such as two containers with the same volume.
 *
 * @throws OperatorFault the folder is in use
 */
export async function claimFolder(folder: string): Promise<Release> {
  const taken = () =>
    new OperatorFault(
      `data folder ${folder} is in use by another Forebay: choose another with --data, or stop that process`,
      EXIT.failed,
    );
  const releaseName = await lockName(folderLock(folder), taken);
  try {
    const releaseFolder = await lockFolder(folder, taken);
    return async () => {
      await releaseFolder();
      await releaseName();
    };
  } catch (error) {
    await releaseName();
    throw error;
  }
}

/** @throws Error when there is no such folder */
function folderLock(folder: string): string {
  const { dev, ino } = statSync(folder);
  return `forebay-data-${dev}-${ino}`;
}

const FOLDER_LOCK_FILE = 'lock.sock';

/**
 * A lock by a name in the abstract socket namespace of Linux: unique per network namespace, and released by the kernel
 * however the process ends. Other systems have no such names, so there is no lock.
 */
export async function lockName(name: string, taken: () => OperatorFault): Promise<Release> {
  if (process.platform !== 'linux') return noLock;
  try {
    return releaseOf(await listening({ path: `\0${name}` }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw taken();
    throw error;
  }
}

/** On a file system without sockets, such as some network file systems, there is no such lock. */
async function lockFolder(folder: string, taken: () => OperatorFault): Promise<Release> {
  if (process.platform !== 'linux') return noLock;
  // The path of a socket has at most 107 bytes; a path through the open folder is always shorter. The folder stays
  // open as long as the lock.
  const fd = openSync(folder, 'r');
  const path = `/proc/self/fd/${fd}/${FOLDER_LOCK_FILE}`;
  for (let tries = 0; tries < 2; tries++) {
    try {
      const release = releaseOf(await listening({ path }));
      return async () => {
        await release();
        closeSync(fd);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
        closeSync(fd);
        return noLock;
      }
    }
    if (await isListening(path)) break;
    // Left by a process that was killed.
    rmSync(path, { force: true });
  }
  closeSync(fd);
  throw taken();
}

async function noLock(): Promise<void> {}

/** The lock does not keep the process alive. */
function releaseOf(lock: Server): Release {
  lock.unref();
  return () => closed(lock);
}

/** Whether a process listens on the socket `path`, which begins with NUL in the abstract namespace. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export function listening(
  where: { host: string; port: number } | { path: string },
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen({ ...where, exclusive: true }, () => resolve(server));
  });
}

export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Whether a Forebay uses the data folder, which must exist. */
export async function isFolderInUse(folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  if (await isLocked(folderLock(folder))) return true;
  // A path through the open folder is short enough for a socket.
  const fd = openSync(folder, 'r');
  try {
    return await isListening(`/proc/self/fd/${fd}/${FOLDER_LOCK_FILE}`);
  } finally {
    closeSync(fd);
  }
}

export function isLocked(name: string): Promise<boolean> {
  return process.platform === 'linux' ? isListening(`\0${name}`) : Promise.resolve(false);
}
