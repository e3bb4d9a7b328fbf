import { createHash, randomInt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { accessSync, constants, lstatSync, realpathSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { EXIT, OperatorFault } from '../model/fault.js';
import {
  dialledHost,
  hostPort,
  type OrdersAddress,
  type TcpAddress,
  urlHost,
} from '../model/listen.js';
import { closed, isLocked, listening, lockName, namesInUse, type Release } from './locks.js';

/** The options that say where orders are taken. */
export interface Wanted {
  readonly host: string;
  readonly port: number;
  /** `unix:/path` instead of host and port; empty for none. */
  readonly listen: string;
}

export interface AddressClaim {
  readonly at: OrdersAddress;
  readonly release: Release;
}

/** The address is free, in use by a Forebay, in use by another program, or cannot be listened on. */
export type AddressState =
  | { readonly is: 'free' | 'forebay' | 'taken' }
  | { readonly is: 'refused'; readonly why: string };

/** Claims where orders are taken. @throws OperatorFault it is in use, or cannot be listened on */
export function claimAddress(wanted: Wanted): Promise<AddressClaim> {
  const path = unixPath(wanted.listen);
  return path === '' ? claimPort(wanted.host, wanted.port) : claimUnixSocket(path);
}

/** The state of the address for orders. Listens there briefly if it is free. */
export function probeAddress(wanted: Wanted): Promise<AddressState> {
  const path = unixPath(wanted.listen);
  return path === '' ? probePort(wanted.host, wanted.port) : probeUnixSocket(path);
}

const UNIX = 'unix:';

/** The absolute path in `unix:/path`; empty if `listen` is. */
export function unixPath(listen: string): string {
  return listen.slice(UNIX.length);
}

/**
 * Intake threads listen with SO_REUSEPORT, with which Linux lets a second process share the port without an error. So
 * this listens without it first, which fails if any program listens there, and takes a lock, which keeps out a second
 * Forebay that starts at the same time. (uWebSockets.js can pick a free port itself, but not one that threads can share.)
 */
async function claimPort(host: string, wanted: number): Promise<AddressClaim> {
  if (wanted !== 0) return claimOnePort(host, wanted);
  // Says what is wrong with the host, if anything.
  await freePort(host, 0);
  for (let tries = 1; ; tries++) {
    try {
      return await claimOnePort(host, randomInt(FREE_PORT_MIN, FREE_PORT_END));
    } catch (error) {
      if (tries === FREE_PORT_TRIES_MAX) throw error;
    }
  }
}

/**
 * For `--port 0`: below the ports that Linux gives to outgoing connections (32,768 and up), any of which could get the
 * port before the intake threads listen.
 */
const FREE_PORT_MIN = 20_000;
const FREE_PORT_END = 32_768;
const FREE_PORT_TRIES_MAX = 100;

async function claimOnePort(host: string, wanted: number): Promise<AddressClaim> {
  const at = await freePort(host, wanted);
  const taken = () => portTaken(host, at.port);
  const release = await lockName(portLock(at), taken);
  if (!othersAt(at).some((other) => conflicts(other, at.address))) return { at, release };
  await release();
  throw taken();
}

async function freePort(host: string, wanted: number): Promise<TcpAddress> {
  try {
    const { address } = await lookup(host);
    const server = await listening({ host: address, port: wanted });
    const { port } = server.address() as AddressInfo;
    await closed(server);
    return { address, port };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw portTaken(host, wanted);
    throw new OperatorFault(
      `cannot listen on ${hostPort(host, wanted)}: ${message}; correct --host or --port`,
      EXIT.failed,
    );
  }
}

function portTaken(host: string, port: number): OperatorFault {
  const fix = 'choose another with --port, or stop the program that listens there';
  return new OperatorFault(`port ${port} is in use on ${urlHost(host)}: ${fix}`, EXIT.failed);
}

/** The prefix of the names of all locks on a port. */
function portLocks(port: number): string {
  return `forebay-port-${port}-`;
}

function portLock({ address, port }: TcpAddress): string {
  return `${portLocks(port)}${address}`;
}

/** The addresses on which other Forebays of this network namespace hold the same port. */
function othersAt({ address, port }: TcpAddress): string[] {
  return lockedAddresses(port).filter((other) => other !== address);
}

function lockedAddresses(port: number): string[] {
  const prefix = portLocks(port);
  return namesInUse(prefix).map((name) => name.slice(prefix.length));
}

/** Whether the kernel lets only one of two programs listen on these addresses with the same port. */
function conflicts(one: string, other: string): boolean {
  const isEvery = (address: string) => address === '::';
  const isEveryIpv4 = (address: string) => address === '0.0.0.0';
  const isIpv4 = (address: string) => !address.includes(':');
  return (
    one === other ||
    isEvery(one) ||
    isEvery(other) ||
    (isEveryIpv4(one) && isIpv4(other)) ||
    (isEveryIpv4(other) && isIpv4(one))
  );
}

async function probePort(host: string, port: number): Promise<AddressState> {
  const found = await tryToListen(host, port);
  if (found.is === 'refused' || port === 0) return found;
  const { address } = await lookup(host);
  const isForebay = lockedAddresses(port).some((other) => conflicts(other, address));
  return isForebay ? { is: 'forebay' } : found;
}

/** Bytes of the path of a socket, without the NUL at its end. */
const UNIX_PATH_BYTES_MAX = 107;

/**
 * Claims the path of a unix socket, and removes a socket there that a dead server has left. The claim also keeps out a
 * Forebay that starts at the same time.
 */
async function claimUnixSocket(path: string): Promise<AddressClaim> {
  const taken = () => unixFault(path, { is: 'taken' });
  const why = unusable(path);
  if (why !== '') throw unixFault(path, { is: 'refused', why });
  const releaseLock = await lockName(unixLock(path), taken);
  const state = await unixState(path);
  if (state.is !== 'free') {
    await releaseLock();
    throw unixFault(path, state);
  }
  rmSync(path, { force: true });
  return {
    at: { path },
    release: async () => {
      rmSync(path, { force: true });
      await releaseLock();
    },
  };
}

async function probeUnixSocket(path: string): Promise<AddressState> {
  const why = unusable(path);
  if (why !== '') return { is: 'refused', why };
  if (await isLocked(unixLock(path))) return { is: 'forebay' };
  return unixState(path);
}

/** Why no socket can be made there; empty if one can. */
function unusable(path: string): string {
  const bytes = Buffer.byteLength(path);
  return bytes > UNIX_PATH_BYTES_MAX
    ? `the path has ${bytes} bytes, and the path of a socket at most ${UNIX_PATH_BYTES_MAX}`
    : folderFault(dirname(path));
}

function folderFault(folder: string): string {
  try {
    if (!lstatSync(realpathSync(folder)).isDirectory()) return `${folder} is not a folder`;
    accessSync(folder, constants.W_OK | constants.X_OK);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

async function unixState(path: string): Promise<AddressState> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { is: 'free' };
  if (!found.isSocket()) return { is: 'refused', why: 'there is a file of that name' };
  const code = await connectFault(path);
  // Only a socket on which no process listens refuses connections.
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return { is: 'free' };
  return code === '' ? { is: 'taken' } : { is: 'refused', why: `a socket is there: ${code}` };
}

/** The code of the error of a connection to the socket; empty if there is none. */
function connectFault(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve('');
    });
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code));
  });
}

function unixFault(path: string, state: AddressState): OperatorFault {
  const [why, remedy] =
    state.is === 'refused'
      ? [state.why, '']
      : ['another program listens there', ', or stop that program'];
  const fix = `choose another path with --listen${remedy}`;
  return new OperatorFault(`cannot listen on unix:${path}: ${why}; fix: ${fix}`, EXIT.failed);
}

/** A digest, because a name is as short as a path. */
function unixLock(path: string): string {
  const place = join(realpathSync(dirname(path)), basename(path));
  return `forebay-unix-${createHash('sha256').update(place).digest('hex')}`;
}

/** Time limit for the answer of an admin server; milliseconds. */
const ANSWER_MS_MAX = 1000;
/** More than /metrics of Forebay has. */
const METRICS_CHARS_MAX = 4_000_000;

/** The state of the port of the admin server, which has no lock. */
export async function probeAdminPort(host: string, port: number): Promise<AddressState> {
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
  return new Promise((resolve) => {
    let body = '';
    const where = { host: dialledHost(host), port, path: '/metrics', agent: false };
    const request = get(where, (response) => {
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

async function tryToListen(host: string, port: number): Promise<AddressState> {
  try {
    await closed(await listening({ host, port }));
    return { is: 'free' };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'EADDRINUSE' ? { is: 'taken' } : { is: 'refused', why: message };
  }
}
