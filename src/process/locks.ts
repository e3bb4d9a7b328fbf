import { closeSync, lstatSync, openSync, readFileSync, statSync, unlinkSync } from 'node:fs';
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
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw taken();
    if (FORBIDDEN.includes(code)) throw new OperatorFault(noSockets(code), EXIT.usage);
    throw new OperatorFault(`cannot lock the port or the data folder: ${message}`, EXIT.failed);
  }
}

/** What a sandbox answers that allows no unix sockets. */
const FORBIDDEN = ['EAFNOSUPPORT', 'EPERM', 'EACCES'];

function noSockets(code: string): string {
  const why = 'without which two servers could use the same port or data folder';
  return `this sandbox forbids unix sockets (${code}), ${why}; allow AF_UNIX, for example in systemd: RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6`;
}

/** Why no lock can be taken, in one line; null if one can. */
export async function lockingFault(): Promise<OperatorFault | null> {
  const name = `forebay-check-${process.pid}`;
  try {
    const release = await lockName(name, () => new OperatorFault(`${name} is taken`, EXIT.failed));
    await release();
    return null;
  } catch (error) {
    return error as OperatorFault;
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
    removeLeft(path, `${folder}/${FOLDER_LOCK_FILE}`, fd);
  }
  closeSync(fd);
  throw taken();
}

/** A socket that a process left which was killed. @param shown the path for people */
function removeLeft(path: string, shown: string, fd: number): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process has just removed it.
    if (code === 'ENOENT') return;
    closeSync(fd);
    throw new OperatorFault(`${stuckLock(shown)}: ${code}; ${REMOVE_LOCK}`, EXIT.failed);
  }
}

export const REMOVE_LOCK = 'remove it as the user that owns it';

function stuckLock(path: string): string {
  return `${path} is no lock of a running Forebay, and cannot be removed`;
}

/** Why the lock of a data folder that is not in use cannot be taken; empty if it can. */
export function folderLockFault(folder: string): string {
  const path = `${folder}/${FOLDER_LOCK_FILE}`;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return '';
  const { uid, mode } = statSync(folder);
  // Only the owner of a file may remove it from such a folder.
  const isSticky = (mode & 0o1000) !== 0;
  const isForeign = ![0, uid, found.uid].includes(process.geteuid?.() ?? 0);
  return found.isDirectory() || (isSticky && isForeign) ? stuckLock(path) : '';
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

/** Also if the process that has the name does not listen. */
export async function isLocked(name: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  return (await isListening(`\0${name}`)) || namesInUse(name).includes(name);
}

/**
 * The names in use that begin with `prefix`. Linux lists the names of abstract sockets with `@` for NUL, and Node may
 * fill them up with NUL. Empty where that list cannot be read.
 */
export function namesInUse(prefix: string): string[] {
  let table = '';
  try {
    table = readFileSync('/proc/net/unix', 'latin1');
  } catch {
    // Not Linux, or not readable here.
  }
  return table
    .split('\n')
    .map((line) => /^(?:\S+ +){7}@(.*?)@*$/.exec(line)?.[1] ?? '')
    .filter((name) => name.startsWith(prefix));
}
