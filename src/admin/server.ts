import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXIT, OperatorFault } from '../model/fault.js';
import { urlHost } from '../model/listen.js';
import type { LiveSource } from '../model/live.js';
import { ConnectionLimit } from './connections.js';
import { HostCheck } from './host-check.js';
import { LiveFeed, STREAM, VIEWERS_MAX } from './live-feed.js';
import { PageFiles, pageFiles, SECURITY_HEADERS } from './page-files.js';

export interface AdminConfig {
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
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Path of the live page's stream. */
const LIVE_PATH = '/live';
/** Answered whatever name the client used. */
const PROBES = ['/healthz', '/readyz'];
const HEADER_BYTES_MAX = 8192;
/** Timeout for the headers, and for the whole request. */
const REQUEST_MS_MAX = 5000;
/** Longer than the usual scrape interval, so that a scraper keeps its connection. */
const KEEP_ALIVE_MS = 20_000;
/** A client that neither sends nor reads for this long is disconnected. */
const STALL_MS_MAX = 30_000;
/** How long `close` waits for pending responses. */
const CLOSE_MS_MAX = 1000;

/** The admin server: the live page, /metrics, /healthz and /readyz. Runs in the main thread. */
export class AdminServer {
  readonly #feed: LiveFeed;
  readonly #pages: ReadonlyMap<string, () => Page | Promise<Page>>;
  readonly #server: Server;
  readonly #limit: ConnectionLimit;
  readonly #connectionsMax: number;
  readonly #hosts: HostCheck;
  #isClosed = false;

  constructor(config: AdminConfig) {
    const { metrics, metricsContentType, readiness, degraded, live } = config;
    this.#hosts = new HostCheck(config.hosts);
    this.#connectionsMax = config.connectionsMax;
    this.#feed = new LiveFeed(live);
    const files = new PageFiles();
    const text = new SingleFlight(metrics);
    this.#pages = new Map<string, () => Page | Promise<Page>>([
      ['/metrics', async () => ({ status: 200, type: metricsContentType, body: await text.run() })],
      ['/healthz', () => json(200, { status: 'ok' })],
      ['/readyz', () => readyPage(readiness(), degraded())],
      ...Array.from(pageFiles, ([path, file]): [string, () => Promise<Page>] => [
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
    const path = pathOf(request);
    const page = this.#pages.get(path);
    if (page === undefined && path !== LIVE_PATH)
      return send(response, json(404, { result: 'not-found' }));
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return send(response, json(405, { result: 'method-not-allowed' }));
    }
    if (!this.#hosts.allows(request.headers.host))
      return send(response, await misdirected(path, page));
    if (page === undefined) return this.#stream(request, response);
    try {
      send(response, await page());
    } catch (error) {
      send(response, json(500, { result: 'failed', reason: (error as Error).message }));
    }
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

function readyPage(reasons: readonly string[], degraded: readonly string[]): Page {
  if (reasons.length > 0) return json(503, { status: 'not-ready', reasons, degraded });
  return json(200, degraded.length === 0 ? { status: 'ready' } : { status: 'ready', degraded });
}

/** A probe gets its status whatever name it used, without what a foreign page could learn. */
async function misdirected(
  path: string,
  page: (() => Page | Promise<Page>) | undefined,
): Promise<Page> {
  if (page !== undefined && PROBES.includes(path)) {
    const { status } = await page();
    return json(status, { status: status === 200 ? 'ok' : 'not-ready' });
  }
  const reason =
    'the Host header names neither an IP address nor a private name; to allow its name, use --admin-hosts';
  return json(421, { result: 'misdirected', reason });
}

function json(status: number, body: object): Page {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}

/** For HEAD, Node leaves out the body and keeps its length. */
function send(response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...SECURITY_HEADERS,
  });
  response.end(body);
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
