import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { EXIT, OperatorFault } from '../model/fault.js';

/** Gives up a claim. A claim that is never given up lasts for as long as this process lives. */
export type Release = () => Promise<void>;

export interface PortClaim {
  readonly port: number;
  readonly release: Release;
}

/**
 * Claims the port for orders; 0 picks a free port. Intake threads listen with SO_REUSEPORT, with which Linux lets a
 * second process share the port without an error. So this listens without it first, which fails if any program
 * listens there, and takes a lock, which keeps out a second Forebay that starts at the same time. (uWebSockets.js can
 * pick a free port itself, but not one that threads can share.)
 *
 * @throws OperatorFault the port is in use, or cannot be listened on
 */
export async function claimPort(host: string, wanted: number): Promise<PortClaim> {
  const port = await freePort(host, wanted);
  const release = await lockName(portLock(port), () => portTaken(host, port));
  return { port, release };
}

async function freePort(host: string, wanted: number): Promise<number> {
  try {
    const server = await listening({ host, port: wanted });
    const { port } = server.address() as AddressInfo;
    await closed(server);
    return port;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw portTaken(host, wanted);
    throw new OperatorFault(
      `cannot listen on ${host}:${wanted}: ${message}; correct --host or --port`,
      EXIT.failed,
    );
  }
}

function portTaken(host: string, port: number): OperatorFault {
  const fix = 'choose another with --port, or stop the program that listens there';
  return new OperatorFault(`port ${port} is in use on ${host}: ${fix}`, EXIT.failed);
}

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

/** Names of the locks. */
function portLock(port: number): string {
  return `forebay-port-${port}`;
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
async function lockName(name: string, taken: () => OperatorFault): Promise<Release> {
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
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function listening(where: { host: string; port: number } | { path: string }): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen({ ...where, exclusive: true }, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** A port is free, in use by a Forebay, in use by another program, or cannot be listened on. */
export type PortState =
  | { readonly is: 'free' | 'forebay' | 'taken' }
  | { readonly is: 'refused'; readonly why: string };

/** Time limit for the answer of an admin server; milliseconds. */
const ANSWER_MS_MAX = 1000;
/** More than /metrics of Forebay has. */
const METRICS_CHARS_MAX = 4_000_000;

/** The state of the port for orders. Listens on it briefly if it is free. */
export async function probePort(host: string, port: number): Promise<PortState> {
  const found = await tryToListen(host, port);
  if (found.is !== 'taken') return found;
  return (await isLocked(portLock(port))) ? { is: 'forebay' } : found;
}

/** The state of the port of the admin server, which has no lock. */
export async function probeAdminPort(host: string, port: number): Promise<PortState> {
  const found = await tryToListen(host, port);
  if (found.is !== 'taken') return found;
  const isForebay = (await metricsAt(host, port)).includes('\nforebay_build_info{');
  return isForebay ? { is: 'forebay' } : found;
}

/**
 * The text of /metrics; empty if there is none. Does not use `fetch`, because in Node 20 that never settles when the
 * connection is closed at once.
 */
function metricsAt(host: string, port: number): Promise<string> {
  const address = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return new Promise((resolve) => {
    let body = '';
    const request = get({ host: address, port, path: '/metrics', agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > METRICS_CHARS_MAX) request.destroy();
      });
    });
    request.on('error', () => {});
    request.on('close', () => {
      clearTimeout(deadline);
      resolve(body);
    });
    const deadline = setTimeout(() => request.destroy(), ANSWER_MS_MAX);
  });
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

function isLocked(name: string): Promise<boolean> {
  return process.platform === 'linux' ? isListening(`\0${name}`) : Promise.resolve(false);
}

function tryToListen(host: string, port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      resolve(code === 'EADDRINUSE' ? { is: 'taken' } : { is: 'refused', why: message }),
    );
    server.listen({ host, port, exclusive: true }, () =>
      server.close(() => resolve({ is: 'free' })),
    );
  });
}
