import { statSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { EXIT, OperatorFault } from '../contract/fault.js';

/** Something that one process at a time may use, for as long as that process lives. */
export interface Claim {
  release(): void;
}

/** The port to listen on. */
export interface PortClaim extends Claim {
  readonly port: number;
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
  const port = await probePort(host, wanted);
  const lock = await lockName(`forebay-port-${port}`, () => portTaken(host, port));
  return { port, release: lock.release };
}

async function probePort(host: string, wanted: number): Promise<number> {
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
