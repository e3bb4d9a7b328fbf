import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DrainFacts } from '../model/drain-view.js';
import { EXIT, OperatorFault } from '../model/fault.js';
import { isLoopback, urlHost } from '../model/listen.js';
import type { LiveSource } from '../model/live.js';
import type { Log } from '../model/log.js';
import { AccessCheck, type AdminTokens } from './access.js';
import { type Answer, json, otherMethod, send } from './answer.js';
import { ConnectionLimit } from './connections.js';
import { DRAIN_PATH, DrainRoute } from './drain-route.js';
import { HostCheck } from './host-check.js';
import { LiveFeed, STREAM, VIEWERS_MAX } from './live-feed.js';
import { LoginRoutes } from './login.js';
import { PageFiles, pageFiles } from './page-files.js';

export interface AdminConfig {
  /** Brings up to date what the other members tell. Does not reject, and takes a second at most. */
  readonly refresh: () => Promise<void>;
  /** Renders /metrics. Not called again before it has settled. */
  readonly metrics: () => Promise<string>;
  readonly metricsContentType: string;
  /** Why orders cannot be accepted, one line per reason; empty if they can. */
  readonly readiness: () => readonly string[];
  /** What does not work although orders can be accepted, one line per problem. */
  readonly degraded: () => readonly string[];
  /** The data of the live page. */
  readonly live: LiveSource;
  /** At the limit, the connection that was idle longest is closed for a new one: see `ConnectionLimit`. */
  readonly connectionsMax: number;
  /** Names of hosts that are answered beside IP addresses and private names: see `HostCheck`. */
  readonly hosts: readonly string[];
  /** Null: everybody who reaches the server may read what it shows. */
  readonly tokens: AdminTokens | null;
  readonly log: Log;
  readonly drain: DrainFacts;
}

/** Path of the live page's stream. */
const LIVE_PATH = '/live';
const PROBES = ['/healthz', '/readyz'];
const READING = ['GET', 'HEAD'];
const HEADER_BYTES_MAX = 8192;
/** Timeout for the headers, and for the whole request. */
const REQUEST_MS_MAX = 5000;
/** Longer than the usual scrape interval, so that a scraper keeps its connection. */
const KEEP_ALIVE_MS = 20_000;
/** A client that neither sends nor reads for this long is disconnected. */
const STALL_MS_MAX = 30_000;
/** How long `close` waits for pending responses. */
const CLOSE_MS_MAX = 1000;

/** The admin server: the live page, /metrics, /drain, /healthz and /readyz. Runs in the main thread. */
export class AdminServer {
  readonly #feed: LiveFeed;
  readonly #pages: ReadonlyMap<string, () => Answer | Promise<Answer>>;
  readonly #server: Server;
  readonly #limit: ConnectionLimit;
  readonly #connectionsMax: number;
  readonly #names: readonly string[];
  readonly #access: AccessCheck;
  readonly #login: LoginRoutes;
  readonly #drain: DrainRoute;
  readonly #refresh: () => Promise<void>;
  #hosts: HostCheck;
  #isClosed = false;

  constructor(config: AdminConfig) {
    const { metrics, metricsContentType, readiness, degraded, live, refresh } = config;
    this.#refresh = refresh;
    this.#names = config.hosts;
    this.#hosts = new HostCheck(config.hosts);
    this.#access = new AccessCheck(config.tokens, config.log);
    this.#connectionsMax = config.connectionsMax;
    const mayChange = () => this.#access.isOn || this.isOnLoopback;
    this.#drain = new DrainRoute(config.drain, mayChange);
    this.#feed = new LiveFeed(live, () => this.#drain.view(), refresh);
    const files = new PageFiles();
    this.#login = new LoginRoutes(this.#access, files, () => this.reviewViewers());
    const text = new SingleFlight(() => refresh().then(metrics));
    this.#pages = new Map<string, () => Answer | Promise<Answer>>([
      ['/metrics', async () => ({ status: 200, type: metricsContentType, body: await text.run() })],
      ['/healthz', () => json(200, { status: 'ok' })],
      ['/readyz', () => refresh().then(() => readyPage(readiness(), degraded()))],
      ...Array.from(pageFiles, ([path, file]): [string, () => Promise<Answer>] => [
        path,
        async () => ({ status: 200, type: file.type, body: await files.text(file) }),
      ]),
    ]);
    this.#server = createServer({
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: REQUEST_MS_MAX / 2,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
    this.#limit = new ConnectionLimit(this.#server, this.#connectionsMax);
    this.#server.timeout = STALL_MS_MAX;
    this.#server.on('request', (request, response) => this.#answer(request, response));
  }

  /**
   * @param port 0 for any free port
   * @returns the port it listens on
   * @throws OperatorFault it cannot listen there
   */
  listen(host: string, port: number): Promise<number> {
    const server = this.#server;
    this.#hosts = new HostCheck(this.#names, host);
    return new Promise((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException) => reject(listenFault(host, port, error));
      server.once('error', refuse);
      // More that wait would push each other out before they are read.
      const backlog = this.#connectionsMax;
      server.listen({ port, host, backlog }, () => {
        server.off('error', refuse);
        // `close` cannot reach a server whose host name is still being looked up.
        if (this.#isClosed) {
          server.close(() => reject(new Error('the admin server is closed')));
          return;
        }
        // An accept that fails because no file descriptor is left must not end the process. The client loses its
        // connection; later ones are accepted.
        server.on('error', () => {});
        this.#feed.start();
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  /** Whether only programs of this machine reach it. Known once it listens. */
  get isOnLoopback(): boolean {
    return isLoopback((this.#server.address() as AddressInfo | null)?.address ?? '');
  }

  /** The tokens have changed: viewers must show that they may still watch. */
  reviewViewers(): void {
    this.#feed.disconnect();
  }

  /** Resolves when all connections are closed. Those still busy after a second are ended. */
  close(): Promise<void> {
    const server = this.#server;
    this.#isClosed = true;
    this.#feed.close();
    if (!server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX);
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      send(response, json(500, { result: 'failed', reason: (error as Error).message }));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    if (PROBES.includes(path)) return send(response, await this.#probe(request, path));
    const foreign = this.#foreign(request);
    if (foreign !== null) return send(response, foreign);
    if (this.#login.handles(path)) return this.#login.answer(request, response, path);
    const access = this.#access.judge(request);
    if (access.is !== 'granted') {
      const isPage = path === '/' && request.method === 'GET';
      return send(response, await this.#login.refusal(access, isPage));
    }
    if (access.cookie !== undefined) response.setHeader('Set-Cookie', access.cookie);
    if (path === DRAIN_PATH) {
      await this.#refresh();
      return send(response, await this.#drain.answer(request, access.by !== 'nobody'));
    }
    const page = this.#pages.get(path);
    if (page === undefined && path !== LIVE_PATH)
      return send(response, json(404, { result: 'not-found' }));
    const wrongMethod = otherMethod(request, READING);
    if (wrongMethod !== null) return send(response, wrongMethod);
    if (page === undefined) return this.#stream(request, response);
    send(response, await page());
  }

  /** Answered whatever names the client used, and without a token. */
  async #probe(request: IncomingMessage, path: string): Promise<Answer> {
    const wrongMethod = otherMethod(request, READING);
    if (wrongMethod !== null) return wrongMethod;
    const answer = await this.#pages.get(path)!();
    if (this.#foreign(request) === null) return answer;
    // Without what a page of another site could learn.
    return json(answer.status, { status: answer.status === 200 ? 'ok' : 'not-ready' });
  }

  /** The answer to a request that a page of another site may have made; null if none has. */
  #foreign({ headers: { host, origin } }: IncomingMessage): Answer | null {
    if (!this.#hosts.allows(host)) {
      const reason =
        'the Host header names neither an IP address nor a private name; to allow its name, use --admin-hosts';
      return json(421, { result: 'misdirected', reason });
    }
    if (this.#hosts.allowsOrigin(origin, host)) return null;
    const reason =
      'the Origin header names another site; if it is the name of a proxy for this server, use --admin-hosts';
    return json(403, { result: 'forbidden', reason });
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    if (this.#feed.isFull) {
      const reason = `the live page already has ${VIEWERS_MAX} viewers, the maximum`;
      send(response, json(503, { result: 'busy', reason }));
    } else if (request.method === 'HEAD') {
      send(response, { status: 200, type: STREAM, body: '' });
    } else {
      this.#limit.keep(request);
      this.#feed.join(response, afterOf(request));
    }
  }
}

/** The id of the last event that the client has: `?after=`. */
function afterOf({ url = '' }: IncomingMessage): string {
  return new URLSearchParams(url.slice(LIVE_PATH.length)).get('after') ?? '';
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function readyPage(reasons: readonly string[], degraded: readonly string[]): Answer {
  if (reasons.length > 0) return json(503, { status: 'not-ready', reasons, degraded });
  return json(200, degraded.length === 0 ? { status: 'ready' } : { status: 'ready', degraded });
}

function listenFault(host: string, port: number, error: NodeJS.ErrnoException): OperatorFault {
  const why =
    error.code === 'EADDRINUSE'
      ? `port ${port} is in use; fix: choose another --admin-port`
      : `${error.message}; see --admin-host and --admin-port`;
  return new OperatorFault(`admin server on ${urlHost(host)}: ${why}`, EXIT.failed);
}

/** Runs `work` at most once at a time: calls during a run share its result. */
export class SingleFlight<T> {
  readonly #work: () => Promise<T>;
  #running: Promise<T> | null = null;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  run(): Promise<T> {
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }
}
