import { closeSync, openSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { answers, FOLDER_LOCK_FILE, folderLock, portLock } from './exclusive.js';

/** How a port is found: free, with another Forebay, with another program, or not to be listened on, and why. */
export type PortState =
  | { readonly is: 'free' | 'forebay' | 'taken' }
  | { readonly is: 'refused'; readonly why: string };

/** How long an admin server may take to say who it is; milliseconds. */
const ASK_MS_MAX = 1000;
/** More than Forebay has to say, whatever answers there. */
const METRICS_CHARS_MAX = 4_000_000;

/** Looks whether orders could be taken on a port; listens for a moment when nobody else does, and serves nobody. */
export async function lookAtPort(host: string, port: number): Promise<PortState> {
  const found = await tryToListen(host, port);
  if (found.is !== 'taken') return found;
  return (await isLocked(portLock(port))) ? { is: 'forebay' } : found;
}

/** The same for the admin server's port, which has no lock. */
export async function lookAtAdminPort(host: string, port: number): Promise<PortState> {
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
export async function isFolderHeld(folder: string): Promise<boolean> {
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
