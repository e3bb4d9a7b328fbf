import { connect } from 'node:net';
import type { NatsServers } from './servers.js';

const NATS_PORT = 4222;
/** What a server says first, to everybody. */
const GREETING = 'INFO ';

/**
 * Looks whether any of the servers speaks, on connections that are gone when this returns. The client leaves
 * the connection of a dial that timed out open, for ever: a server that is frozen takes one each time, and each keeps
 * its thread from ending. So the client is only set on servers of which one has answered.
 *
 * @throws Error none did
 */
export async function knock(
  { options }: NatsServers,
  msMax: number,
  closing: AbortSignal,
): Promise<void> {
  const given = new AbortController();
  const signal = AbortSignal.any([closing, given.signal, AbortSignal.timeout(msMax)]);
  const servers = [options.servers ?? []].flat();
  try {
    await Promise.any(servers.map((server) => greeted(server, signal)));
  } catch (error) {
    throw (error as AggregateError).errors[0];
  } finally {
    given.abort();
  }
}

/** Rejects when the server does not answer before `signal` is aborted. */
function greeted(server: string, signal: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(server);
  return new Promise((resolve, reject) => {
    // An IPv6 address stands in brackets in a URL.
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(port || NATS_PORT) });
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const fail = (reason: string) => end(() => reject(new Error(reason)));
    const onAbort = () => fail('it does not answer');
    signal.addEventListener('abort', onAbort);
    let heard = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
      if (heard.startsWith(GREETING)) end(resolve);
      else if (heard.length >= GREETING.length) fail('what answers is no NATS server');
    });
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      fail(code === 'ECONNREFUSED' ? 'connection refused' : message),
    );
    socket.on('close', () => fail('the connection was closed'));
  });
}
