import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ListenOptions } from 'node:net';

/** Below those that a kernel gives to who asks for any (from 32,768 on in Linux), above those of well-known services. */
const PORT_MIN = 15_000;
const PORT_MAX = 32_000;

/**
 * A TCP port of 127.0.0.1 on which nobody listens, and which nobody else is given who asks here, in any process, as long as
 * this one lives: a server that is killed in a test must find its port again, and its clients must not find another's.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (await isReserved(port)) return port;
  }
}

async function isReserved(port: number): Promise<boolean> {
  // A name in Linux's abstract namespace, which goes with the process. Elsewhere chance alone keeps tests apart.
  const isLinux = process.platform === 'linux';
  if (isLinux && !(await listens({ path: `\0forebay-test-port-${port}` }, true))) return false;
  return listens({ host: '127.0.0.1', port }, false);
}

/** Whether that could be listened on; with `isKept` it goes on until the process ends. */
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
