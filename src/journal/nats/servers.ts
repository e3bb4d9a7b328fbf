import { connect } from 'node:net';
import type { ConnectionOptions } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';

/** NATS servers for the client, and as they may be shown. */
export interface NatsServers {
  /** For `connect`: the servers without credentials, and the credentials from the URLs. */
  readonly options: Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token'>;
  /** Without credentials, for logs and /readyz. */
  readonly shown: string;
}

/**
 * Separates the credentials from NATS URLs: `nats://user:password@host:4222`, or `nats://token@host:4222`. All
 * servers of a cluster share them, so the first URL that has any is used.
 * @throws OperatorFault a URL cannot be parsed
 */
export function natsServers(urls: readonly string[]): NatsServers {
  const parsed = urls.map(readUrl);
  const servers = parsed.map(({ protocol, host }) => `${protocol}//${host}`);
  const named = parsed.find(({ username }) => username !== '');
  const shown = servers.join(', ');
  if (named === undefined) return { options: { servers }, shown };
  const user = decodeURIComponent(named.username);
  const pass = decodeURIComponent(named.password);
  const credentials = pass === '' ? { token: user } : { user, pass };
  return { options: { servers, ...credentials }, shown };
}

function readUrl(url: string, index: number): URL {
  try {
    const parsed = new URL(url.includes('://') ? url : `nats://${url}`);
    decodeURIComponent(parsed.username + parsed.password);
    return parsed;
  } catch {
    // The original error quotes the URL, with the password.
    throw new OperatorFault(
      `--nats: URL ${index + 1} cannot be read: write nats://user:password@host:4222, with a port up to 65535 and % in user or password as %25`,
      EXIT.usage,
    );
  }
}

const NATS_PORT = 4222;
/** The first bytes that a NATS server sends on every connection. */
const GREETING = 'INFO ';

/**
 * Checks that at least one server answers, on sockets that are closed when this returns. The client never closes the
 * socket of a dial that timed out: a frozen server would cost a socket per dial, and each keeps its thread from
 * ending. So the client dials only after a server has answered here.
 * @throws Error none answered
 */
export async function probeServers(
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
    // An IPv6 address is in brackets in a URL.
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
      else if (heard.length >= GREETING.length) fail('the answer is not from a NATS server');
    });
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      fail(code === 'ECONNREFUSED' ? 'connection refused' : message),
    );
    socket.on('close', () => fail('the connection was closed'));
  });
}
