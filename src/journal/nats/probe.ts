import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { hostOf, type NatsServers } from './servers.js';

const NATS_PORT = 4222;
/** The first bytes that a NATS server sends on every connection. */
const GREETING = 'INFO ';

/** A server that has not sent its greeting after this time may wait for TLS; milliseconds. */
const SILENT_MS = 500;

/** How soon after its greeting a server refuses a connection, for example because it has too many; milliseconds. */
const REFUSAL_MS = 10;
/** The same where the client could not connect, and does not know why. */
export const SLOW_REFUSAL_MS = 250;

/** How a server begins a connection. */
export interface Beginning {
  /** With TLS, before its greeting: `handshake_first` in its configuration. */
  readonly isTlsFirst: boolean;
  /** It requires a client certificate; unknown, and so false, if it begins with TLS. */
  readonly needsCertificate: boolean;
}

const TLS_FIRST: Beginning = { isTlsFirst: true, needsCertificate: false };

/**
 * Checks that at least one server answers, on sockets that are closed when this returns, and finds out how it begins a
 * connection. The client never closes the socket of a dial that timed out: a frozen server would cost a socket per
 * dial, and each keeps its thread from ending. So the client dials only after a server has answered here.
 * @param refusalMs how long it waits for a refusal after the greeting
 * @throws Error none answered
 */
export async function probeServers(
  { options }: NatsServers,
  msMax: number,
  closing: AbortSignal,
  refusalMs = REFUSAL_MS,
): Promise<Beginning> {
  const given = new AbortController();
  const signal = AbortSignal.any([closing, given.signal, AbortSignal.timeout(msMax)]);
  const servers = [options.servers ?? []].flat().map((server) => new URL(server));
  try {
    return await Promise.any(servers.map((server) => beginning(server, signal, refusalMs)));
  } catch (error) {
    throw (error as AggregateError).errors[0];
  } finally {
    given.abort();
  }
}

/** Rejects when the server does not answer before `signal` is aborted. */
function beginning(server: URL, signal: AbortSignal, refusalMs: number): Promise<Beginning> {
  const place = { host: hostOf(server), port: Number(server.port || NATS_PORT) };
  return new Promise((resolve, reject) => {
    const sockets: Socket[] = [];
    const end = (settle: () => void) => {
      clearTimeout(silent);
      clearTimeout(greeted);
      signal.removeEventListener('abort', onAbort);
      for (const socket of sockets) socket.destroy();
      settle();
    };
    const fail = (reason: string) => end(() => reject(new Error(reason)));
    const onAbort = () => fail('it does not answer');
    signal.addEventListener('abort', onAbort);
    const socket = connect(place);
    sockets.push(socket);
    const silent = setTimeout(() => {
      sockets.push(onTls(place, () => end(() => resolve(TLS_FIRST))));
    }, SILENT_MS);
    let heard = '';
    let greeted: NodeJS.Timeout | undefined;
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
      if (!GREETING.startsWith(heard.slice(0, GREETING.length))) {
        fail('the answer is not from a NATS server');
        return;
      }
      const refusal = /-ERR '([^']*)'/.exec(heard)?.[1];
      if (refusal !== undefined) fail(refusal);
      else if (heard.includes('\n')) {
        const needsCertificate = /"tls_verify":\s*true/.test(heard);
        greeted ??= setTimeout(() => {
          end(() => resolve({ isTlsFirst: false, needsCertificate }));
        }, refusalMs);
      }
    });
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      fail(code === 'ECONNREFUSED' ? 'connection refused' : message),
    );
    socket.on('close', () => fail('the connection was closed'));
  });
}

/**
 * Calls `onAnswer` when the server speaks TLS. Its certificate is not checked here, because nothing is sent: the client
 * checks it when it connects.
 */
function onTls(place: { host: string; port: number }, onAnswer: () => void): Socket {
  const socket = connectTls({ ...place, rejectUnauthorized: false }, onAnswer);
  // A server that is not one of TLS, or wants a certificate: what it says to the client tells more.
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
    if (code.startsWith('ERR_SSL_') && code.includes('ALERT')) onAnswer();
  });
  return socket;
}
