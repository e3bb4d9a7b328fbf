import {
  App,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
} from 'uWebSockets.js';
import type { EngineFactory, HttpEngine, ListenAddress, Route } from '../http.js';
import { cannotListen } from '../listen-fault.js';

/** The engine of uWebSockets.js: the fastest, on the platforms for which there is a binary. */
export const uwsEngine: EngineFactory = {
  /** An ArrayBuffer: uWebSockets.js copies a string at each call, which takes a quarter of the call's time. */
  headerName: (name) => {
    // Not of a small Buffer: uWebSockets.js would read the whole pool that it is part of.
    return Uint8Array.from(name, (char) => char.charCodeAt(0)).buffer;
  },
  create: (routes) => new UwsEngine(routes),
};

class UwsEngine implements HttpEngine {
  readonly #app: TemplatedApp = App();
  #listenSocket: us_listen_socket | null = null;

  constructor(routes: readonly Route[]) {
    for (const { method, path, answer } of routes) this.#app[method](path, answer);
  }

  /** Without `LIBUS_LISTEN_EXCLUSIVE_PORT` all threads of the process share the port. */
  listen({ host, port }: ListenAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#app.listen(host, port, (listenSocket) => {
        if (!listenSocket) {
          reject(cannotListen(host, port, ''));
          return;
        }
        this.#listenSocket = listenSocket;
        resolve();
      });
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
