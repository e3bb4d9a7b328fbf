import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  createServer as createTlsServer,
  type ServerOptions as SecureServerOptions,
  type Server as TlsServer,
} from 'node:https';
import { Server as NetServer } from 'node:net';
import type { TlsMaterial } from '../../model/tls.js';
import type {
  ConnectionRefusal,
  EngineFactory,
  EngineLimits,
  HttpEngine,
  ListenAddress,
  Route,
} from '../http.js';
import { cannotListen } from '../listen-fault.js';
import { Connection } from './connection.js';
import { Exchange } from './exchange.js';
import { framingFault } from './framing.js';
import { type Refusal, refusalOf, refusals } from './refusal.js';
import { Router } from './router.js';

/** Request line and headers. As much as nginx accepts by default. */
const HEAD_BYTES_MAX = 8192;
/** How long the head of a request may take to arrive. */
const HEAD_MS_MAX = 10_000;
/** An idle connection is kept longer than announced, so that a client that relies on it is not late. */
const KEEP_ALIVE_MARGIN_MS = 1000;
/** A connection on which nothing moves, for example because its client reads no answers. */
const STALLED_MS_MAX = 120_000;
/** Interval of the check for slow requests. */
const SLOW_CHECK_MS = 1000;

/** The engine of node:http: runs wherever Node does. */
export const nodeEngine: EngineFactory = {
  keepAliveMsMax: Number.POSITIVE_INFINITY,
  headerName: (name) => name,
  /** An exchange sends it when its body is wanted. */
  sendContinue: (reply) => reply,
  keepReading: () => {},
  create: (routes, limits, tls) => new NodeEngine(routes, limits, tls),
};

class NodeEngine implements HttpEngine {
  readonly #router: Router;
  readonly #server: Server | TlsServer;

  constructor(routes: readonly Route[], limits: EngineLimits, tls: TlsMaterial | null) {
    const { gate, refusal, keepAliveMs, bodyMsMax } = limits;
    this.#router = new Router(routes);
    const settings = {
      insecureHTTPParser: false,
      maxHeaderSize: HEAD_BYTES_MAX,
      // A missing Host is answered like any other wrong framing.
      requireHostHeader: false,
      headersTimeout: HEAD_MS_MAX,
      // The routes end slow orders themselves. This is for bodies that nobody reads.
      requestTimeout: HEAD_MS_MAX + bodyMsMax,
      keepAliveTimeout: keepAliveMs + KEEP_ALIVE_MARGIN_MS,
      connectionsCheckingInterval: SLOW_CHECK_MS,
    };
    const server =
      tls === null ? createServer(settings) : createTlsServer({ ...settings, ...secured(tls) });
    this.#server = server;
    // By default node:http leaves out headers beyond 2,000, so that `framingFault` would not see them.
    server.maxHeadersCount = 0;
    server.timeout = STALLED_MS_MAX;
    // A client that ends its side of the connection still gets its answers.
    (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    server.on('connection', (socket) => {
      socket.once('close', () => gate.closed());
      if (gate.opened(() => socket.remoteAddress ?? '')) return;
      // Before a handshake there is no way to say why.
      if (tls === null) socket.write(refusedText(refusal));
      socket.destroySoon();
    });
    server.on('request', (request, response) => this.#answer(request, response, false));
    server.on('checkContinue', (request, response) => this.#answer(request, response, true));
    server.on('checkExpectation', (request, response) =>
      this.#refuse(request, response, refusals.expectation),
    );
    server.on('connect', ({ socket }) => Connection.of(socket).fail(refusals.notFound));
    server.on('clientError', (error, socket) => {
      const connection = Connection.of(socket as IncomingMessage['socket']);
      const refusal = socket.writable ? refusalOf(error) : null;
      if (refusal !== null) {
        connection.fail(refusal);
        return;
      }
      // Now, and not when the socket reports its end: by then the frame of an order may be sent.
      connection.abortAll();
      socket.destroy();
    });
  }

  listen({ at, isShared }: ListenAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = ({ message }: Error) => reject(cannotListen(at, message));
      this.#server.once('error', fail);
      // Node below 23.1 does not know `reusePort`: only one thread listens there.
      const place = 'path' in at ? at : { host: at.address, port: at.port };
      const where = { ...place, exclusive: true, reusePort: isShared };
      this.#server.listen(where, () => {
        this.#server.off('error', fail);
        resolve();
      });
    });
  }

  stopListening(): void {
    // Not `close` of node:http, which also ends idle connections: their clients may just be sending an order.
    if (this.#server.listening) NetServer.prototype.close.call(this.#server);
  }

  renewTls(tls: TlsMaterial): void {
    (this.#server as TlsServer).setSecureContext(secured(tls));
  }

  close(): void {
    this.stopListening();
    // Also ends the check for slow requests, which would outlive the server.
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const fault = framingFault(request);
    if (fault !== null) {
      this.#refuse(request, response, fault);
      return;
    }
    const connection = Connection.of(request.socket);
    if (!connection.takesRequests) return;
    const method = request.method!.toLowerCase();
    const { answer, parameter } = this.#router.find(method, request.url!);
    const exchange = new Exchange(
      connection,
      request,
      response,
      { method, parameter },
      awaitsContinue,
    );
    answer(exchange, exchange);
    if (exchange.leavesBody) connection.takeNoMore();
  }

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const connection = Connection.of(request.socket);
    if (!connection.takesRequests) return;
    new Exchange(connection, request, response, { method: '', parameter: '' }, false);
    connection.refuseNewest(refusal);
  }
}

function secured({ cert, key, ca, minVersion }: TlsMaterial): SecureServerOptions {
  const clients = ca === null ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  const handshakeTimeout = HEAD_MS_MAX;
  return { cert, key, ...clients, minVersion: `TLSv${minVersion}`, handshakeTimeout };
}

function refusedText({ head, body }: ConnectionRefusal): string {
  const lines = [`HTTP/1.1 ${head}`, 'Connection: close', `Content-Length: ${body.length}`];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
