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
 * Claims the orders' port; 0 stands for any free one. Intake threads listen with SO_REUSEPORT, with
 * which Linux lets a second process share the port in silence; so a plain listen is tried first, which
 * anything that listens there already refuses, and a lock keeps out a second Forebay that starts at the
 * same moment. (uWebSockets.js could take a free port itself, but not share that one.)
 *
 * @throws OperatorFault naming the port
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
      `cannot listen on ${host}:${wanted}: ${message}; see --host and --port`,
      EXIT.failed,
    );
  }
}

function portTaken(host: string, port: number): OperatorFault {
  const remedy = 'choose another with --port, or stop what listens there';
  return new OperatorFault(`port ${port} is taken on ${host}: ${remedy}`, EXIT.failed);
}

/**
 * Claims a data folder, which must exist. Two servers on one would process each order twice. A name in the kernel keeps out whoever shares this network namespace; a
 * socket in the folder itself those that share only the folder, such as two containers on one volume.
 *
 * @throws OperatorFault naming the folder
 */
export async function claimFolder(folder: string): Promise<Release> {
  const taken = () =>
    new OperatorFault(
      `data folder ${folder} is in use by another forebay: name another with --data, or stop that one`,
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

/** The names of the locks, for those who only look whether they are held. */
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
 * A lock by a name in Linux's abstract socket namespace: it exists once in a network namespace, and
 * the kernel drops it when the process ends, however it ends. Elsewhere there is no such thing, and
 * no lock.
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

/** Where a file system has no sockets, such as some that come over a network, there is no such lock. */
async function lockFolder(folder: string, taken: () => OperatorFault): Promise<Release> {
  if (process.platform !== 'linux') return noLock;
  // The name of a socket has at most 107 bytes; by way of the open folder it is always shorter. The
  // folder stays open for as long as the lock.
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
    if (await answers(path)) break;
    // Left behind by a process that was killed.
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

/** Whether somebody listens on a socket of that path; one in the abstract namespace begins with a NUL. */
export function answers(path: string): Promise<boolean> {
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

/** How a port is found: free, with another Forebay, with another program, or not to be listened on, and why. */
export type PortState =
  | { readonly is: 'free' | 'forebay' | 'taken' }
  | { readonly is: 'refused'; readonly why: string };

/** How long an admin server may take to say who it is; milliseconds. */
const ASK_MS_MAX = 1000;
/** More than Forebay has to say, whatever answers there. */
const METRICS_CHARS_MAX = 4_000_000;

/** Looks whether orders could be taken on a port; listens for a moment when nobody else does, and serves nobody. */
export async function probePort(host: string, port: number): Promise<PortState> {
  const found = await tryToListen(host, port);
  if (found.is !== 'taken') return found;
  return (await isLocked(portLock(port))) ? { is: 'forebay' } : found;
}

/** The same for the admin server's port, which has no lock. */
export async function probeAdminPort(host: string, port: number): Promise<PortState> {
  const found = await tryToListen(host, port);
  if (found.is !== 'taken') return found;
  const isForebay = (await metricsAt(host, port)).includes('\nforebay_build_info{');
  return isForebay ? { is: 'forebay' } : found;
}

/**
 * Empty where there are none. Not by `fetch`: in Node 20 that neither settles nor keeps the process when the
 * connection is closed at once.
 */
function metricsAt(host: string, port: number): Promise<string> {
  const dialled = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return new Promise((resolve) => {
    let body = '';
    const asked = get({ host: dialled, port, path: '/metrics', agent: false }, (answer) => {
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > METRICS_CHARS_MAX) asked.destroy();
      });
    });
    asked.on('error', () => {});
    asked.on('close', () => {
      clearTimeout(deadline);
      resolve(body);
    });
    const deadline = setTimeout(() => asked.destroy(), ASK_MS_MAX);
  });
}

/** Whether a Forebay has the data folder, which must exist. */
export async function isFolderInUse(folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  if (await isLocked(folderLock(folder))) return true;
  // By way of the open folder the name of the socket is short enough.
  const fd = openSync(folder, 'r');
  try {
    return await answers(`/proc/self/fd/${fd}/${FOLDER_LOCK_FILE}`);
  } finally {
    closeSync(fd);
  }
}

function isLocked(name: string): Promise<boolean> {
  return process.platform === 'linux' ? answers(`\0${name}`) : Promise.resolve(false);
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
