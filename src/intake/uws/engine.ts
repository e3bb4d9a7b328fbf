import {
  App,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
} from 'uWebSockets.js';
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
  create: (routes, limits) => new UwsEngine(routes, limits),
};

class UwsEngine implements HttpEngine {
  readonly #app: TemplatedApp = App();
  #listenSocket: us_listen_socket | null = null;

  constructor(routes: readonly Route[], { gate, refusal }: EngineLimits) {
    for (const { method, path, answer } of routes) {
      this.#app[method](path, method === 'post' ? answer : boundedForHead(answer));
    }
    const count = (reply: HttpResponse, change: number): void => {
      if (change < 0) {
        gate.closed();
      } else if (!gate.opened(() => textOf(reply.getRemoteAddressAsText()))) {
        reply.cork(() => reply.writeStatus(refusal.head).end(refusal.body, true));
      }
    };
    this.#app.filter(count);
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
      if ('path' in at) this.#app.listen_unix(onListening, at.path);
      else this.#app.listen(at.address, at.port, onListening);
    });
  }

  stopListening(): void {
    if (this.#listenSocket !== null) us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
  }

  /** uWebSockets.js aborts the process if the thread ends with open connections. */
  close(): void {
    this.#app.close();
  }
}

function boundedForHead(answer: RouteHandler): RouteHandler {
  return (reply, head) => answer(head.getMethod() === 'head' ? new HeadReply(reply) : reply, head);
}

function textOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('latin1');
}
