import {
  App,
  type HttpResponse,
  SSLApp,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
} from 'uWebSockets.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { TlsMaterial } from '../../model/tls.js';
import type {
  EngineFactory,
  EngineLimits,
  HttpEngine,
  ListenAddress,
  Route,
  RouteHandler,
} from '../http.js';
import { cannotListen } from '../listen-fault.js';
import { ContinuedReply } from './continued-reply.js';
import { HeadReply } from './head-reply.js';
import { KEEP_ALIVE_MS_MAX } from './idle.js';

/** In this spelling, uWebSockets.js sends 100 Continue itself, before it calls a route. */
const OWN_EXPECT = '100-continue';

/** The engine of uWebSockets.js: the fastest, on the platforms for which there is a binary. */
export const uwsEngine: EngineFactory = {
  /** An ArrayBuffer: uWebSockets.js copies a string at each call, which takes a quarter of the call's time. */
  headerName: (name) => {
    // Not of a small Buffer: uWebSockets.js would read the whole pool that it is part of.
    return Uint8Array.from(name, (char) => char.charCodeAt(0)).buffer;
  },
  keepAliveMsMax: KEEP_ALIVE_MS_MAX,
  sendContinue: (reply, expect) => {
    const isOurs = expect !== OWN_EXPECT && expect.trim().toLowerCase() === OWN_EXPECT;
    return isOurs ? new ContinuedReply(reply) : reply;
  },
  /** uWebSockets.js ends a body after 8 to 12 s. To resume starts that time again. */
  keepReading: (reply) => {
    (reply as HttpResponse).pause();
    (reply as HttpResponse).resume();
  },
  create: (routes, limits, tls) => new UwsEngine(routes, limits, tls),
};

/**
 * Without TLS there is one app. With TLS an app that only accepts hands each connection to the app with the certificate of
 * the day, so that a renewal neither ends a connection nor closes the socket on which new ones wait.
 */
class UwsEngine implements HttpEngine {
  readonly #routes: readonly Route[];
  readonly #limits: EngineLimits;
  /** The one that listens. */
  readonly #front: TemplatedApp;
  /**
   * With TLS, the apps that answer: the newest is the last, the others keep their connections. None is dropped without
   * connections, because closing it frees nothing: uWebSockets.js keeps about 40 KiB of each until the process ends.
   */
  readonly #secured: TemplatedApp[] = [];
  #listenSocket: us_listen_socket | null = null;

  constructor(routes: readonly Route[], limits: EngineLimits, tls: TlsMaterial | null) {
    this.#routes = routes;
    this.#limits = limits;
    this.#front = tls === null ? this.#answering(App(), false) : securedApp(tls);
    if (tls !== null) this.renewTls(tls);
  }

  renewTls(tls: TlsMaterial): void {
    const app = this.#answering(securedApp(tls), true);
    const front = this.#front as unknown as ParentApp;
    front.addChildAppDescriptor((app as unknown as ChildApp).getDescriptor());
    const before = this.#secured.at(-1);
    this.#secured.push(app);
    if (before === undefined) return;
    front.removeChildAppDescriptor((before as unknown as ChildApp).getDescriptor());
  }

  #answering(app: TemplatedApp, isSecured: boolean): TemplatedApp {
    const { gate, refusal } = this.#limits;
    for (const { method, path, answer } of this.#routes) {
      app[method](path, method === 'post' ? answer : boundedForHead(answer));
    }
    const count = (reply: HttpResponse, change: number): void => {
      if (change < 0) {
        gate.closed();
      } else if (!gate.opened(() => textOf(reply.getRemoteAddressAsText()))) {
        // Before a handshake there is no way to say why.
        if (isSecured) reply.close();
        else reply.cork(() => reply.writeStatus(refusal.head).end(refusal.body, true));
      }
    };
    return app.filter(count);
  }

  /** Without `LIBUS_LISTEN_EXCLUSIVE_PORT` all threads of the process share the port. */
  listen({ at }: ListenAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      const onListening = (listenSocket: us_listen_socket | false) => {
        if (!listenSocket) {
          reject(cannotListen(at, ''));
          return;
        }
        this.#listenSocket = listenSocket;
        resolve();
      };
      if ('path' in at) this.#front.listen_unix(onListening, at.path);
      else this.#front.listen(at.address, at.port, onListening);
    });
  }

  stopListening(): void {
    if (this.#listenSocket !== null) us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
  }

  /** uWebSockets.js aborts the process if the thread ends with open connections. */
  close(): void {
    this.#front.close();
    for (const app of this.#secured) app.close();
  }
}

/** Methods of an app that its types do not have: they pass connections on from one app to another. */
interface ParentApp {
  addChildAppDescriptor(descriptor: unknown): void;
  removeChildAppDescriptor(descriptor: unknown): void;
}
interface ChildApp {
  getDescriptor(): unknown;
}

/**
 * uWebSockets.js has no option for the oldest version: it always accepts TLS 1.2. A list that has only ciphers which need
 * a shared key leaves none for TLS 1.2, and does not concern TLS 1.3.
 */
const NO_CIPHER_OF_TLS_1_2 = 'PSK-AES128-CBC-SHA';

function securedApp({ certFile, keyFile, minVersion }: TlsMaterial): TemplatedApp {
  const files = { cert_file_name: certFile, key_file_name: keyFile };
  try {
    return SSLApp(minVersion === '1.2' ? files : { ...files, ssl_ciphers: NO_CIPHER_OF_TLS_1_2 });
  } catch {
    throw new OperatorFault(
      `uWebSockets.js cannot use --tls-cert ${certFile} with --tls-key ${keyFile}; fix: use --http node, or another kind of key`,
      EXIT.usage,
    );
  }
}

function boundedForHead(answer: RouteHandler): RouteHandler {
  return (reply, head) => answer(head.getMethod() === 'head' ? new HeadReply(reply) : reply, head);
}

function textOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('latin1');
}
