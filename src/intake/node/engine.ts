import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { EngineFactory, HttpEngine, ListenAddress, Route } from '../http.js';
import { cannotListen } from '../listen-fault.js';
import { NodeReply } from './reply.js';
import { NodeHead } from './request-head.js';
import { Router } from './router.js';

/** The engine of node:http: runs wherever Node does. */
export const nodeEngine: EngineFactory = {
  headerName: (name) => name,
  create: (routes) => new NodeEngine(routes),
};

class NodeEngine implements HttpEngine {
  readonly #router: Router;
  readonly #server: Server;

  constructor(routes: readonly Route[]) {
    this.#router = new Router(routes);
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  listen({ host, port, isShared }: ListenAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = ({ message }: Error) => reject(cannotListen(host, port, message));
      this.#server.once('error', fail);
      // Node below 23.1 does not know `reusePort`: only one thread listens there.
      const where = { host, port, exclusive: true, reusePort: isShared };
      this.#server.listen(where, () => {
        this.#server.off('error', fail);
        resolve();
      });
    });
  }

  stopListening(): void {
    if (this.#server.listening) this.#server.close();
  }

  close(): void {
    this.stopListening();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const method = request.method!.toLowerCase();
    const match = this.#router.find(method, request.url!);
    match.answer(new NodeReply(request, response), new NodeHead(request, method, match.parameter));
  }
}
