import { connect } from 'node:net';
import type { ConnectionOptions } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';

/** NATS servers as the client wants them, and as they may be shown. */
export interface NatsServers {
  /** For `connect`: the servers without, and beside them the credentials that stood in the URLs. */
  readonly options: Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token'>;
  /** Without credentials: this goes to logs and to /readyz. */
  readonly shown: string;
}

/**
 * Takes the credentials out of NATS URLs: `nats://user:password@host:4222`, or `nats://token@host:4222`. All
 * servers of a cluster share them, so the first that has any speaks for all.
 *
 * @throws OperatorFault one cannot be read
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
    // The error quotes the URL, and with it the password.
    throw new OperatorFault(
      `--nats: URL ${index + 1} cannot be read: it must be such as nats://user:password@host:4222, with the port up to 65535 and a % in user or password written as %25`,
      EXIT.usage,
    );
  }
}

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
