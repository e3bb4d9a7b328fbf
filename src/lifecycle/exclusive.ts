import { statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { EXIT, OperatorFault } from '../contract/fault.js';

/** Something that one process at a time may use, for as long as that process lives. */
export interface Claim {
  release(): void;
}

/**
 * Claims the orders' port. Intake threads listen with SO_REUSEPORT, with which Linux lets a second
 * process share the port in silence; so a plain listen is tried first, which anything that listens
 * there already refuses, and a lock keeps out a second Forebay that starts at the same moment.
 *
 * @throws OperatorFault naming the port
 */
export async function claimPort(host: string, port: number): Promise<Claim> {
  if (port === 0) return { release: () => {} };
  const remedy = 'choose another --port, or stop what listens there';
  const taken = () => new OperatorFault(`port ${port} is taken on ${host}: ${remedy}`, EXIT.failed);
  const lock = await lockName(`forebay-port-${port}`, taken);
  try {
    await closed(await listening({ host, port }));
  } catch (error) {
    lock.release();
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw taken();
    throw new OperatorFault(`cannot listen on ${host}:${port}: ${message}: ${remedy}`, EXIT.failed);
  }
  return lock;
}

/**
 * Claims a data folder, which must exist. Two processes on one would process each order twice.
 *
 * @throws OperatorFault naming the folder
 */
export function claimFolder(folder: string): Promise<Claim> {
  const { dev, ino } = statSync(folder);
  return lockName(
    `forebay-data-${dev}-${ino}`,
    () =>
      new OperatorFault(
        `data folder ${folder} is in use by another forebay: name another with --data, or stop that one`,
        EXIT.failed,
      ),
  );
}

/**
 * A lock by a name in Linux's abstract socket namespace: it exists once in a network namespace, and
 * the kernel drops it when the process ends, however it ends. Elsewhere there is no such thing, and
 * no lock.
 */
async function lockName(name: string, taken: () => OperatorFault): Promise<Claim> {
  if (process.platform !== 'linux') return { release: () => {} };
  try {
    const server = await listening({ path: `\0${name}` });
    server.unref();
    return { release: () => server.close() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw taken();
    throw error;
  }
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
