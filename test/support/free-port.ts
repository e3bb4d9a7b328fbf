import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ListenOptions } from 'node:net';

/** Below the ephemeral ports of the kernel (from 32,768 on Linux), above those of well-known services. */
const PORT_MIN = 15_000;
const PORT_MAX = 32_000;

/**
 * A free TCP port of 127.0.0.1. No other caller gets it, in any process, until this process ends: a server that a test kills
 * must find its port again, and its clients must not reach another server.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (await isReserved(port)) return port;
  }
}

async function isReserved(port: number): Promise<boolean> {
  // A name in Linux's abstract namespace, which ends with the process. On other systems the random choice must do.
  const isLinux = process.platform === 'linux';
  if (isLinux && !(await listens({ path: `\0forebay-test-port-${port}` }, true))) return false;
  return listens({ host: '127.0.0.1', port }, false);
}

/** Whether it was possible to listen there; with `isKept` the socket stays open until the process ends. */
async function listens(where: ListenOptions, isKept: boolean): Promise<boolean> {
  const server = createServer((socket) => socket.destroy()).listen({ ...where, exclusive: true });
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.unref();
  if (isKept) return true;
  server.close();
  await once(server, 'close');
  return true;
}
