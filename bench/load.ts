import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const ORDER = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';

export interface LoadOptions {
  /** Path of wrk. */
  readonly wrk: string;
  readonly connections: number;
  readonly seconds: number;
  /** Name of a header whose value differs in each request. Not together with `bodies`. */
  readonly numberedHeader?: string;
  /** Posted in turn; default: ORDER. */
  readonly bodies?: readonly string[];
  /** Default: `/orders` and `application/json`. */
  readonly path?: string;
  readonly mediaType?: string;
  /** The core that wrk is pinned to with taskset; default: any core. */
  readonly core?: number;
}

/** What wrk measured. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Responses other than 2xx and 3xx, and socket errors. */
  readonly errors: number;
  /** All responses, whatever their status. */
  readonly requests: number;
  readonly seconds: number;
  /** CPU time of wrk as a share of one core. */
  readonly generatorRatio: number;
}

const RESULT_PREFIX = 'RESULT ';

/** A single request that never changes is the cheapest for wrk. */
function requestsWith(bodies: readonly string[], mediaType: string): string {
  const post = `wrk.method = 'POST'\nwrk.headers['Content-Type'] = '${mediaType}'\n`;
  if (bodies.length === 1) return `${post}wrk.body = ${luaString(bodies[0]!)}\n`;
  return `${post}local bodies = { ${bodies.map(luaString).join(', ')} }
local requests, number = {}, 0
init = function()
  for i, body in ipairs(bodies) do requests[i] = wrk.format(nil, nil, nil, body) end
end
request = function()
  number = number % #requests + 1
  return requests[number]
end
`;
}

/** A long bracket string: Lua's escapes differ from JSON's. */
function luaString(text: string): string {
  return `[==[${text}]==]`;
}

/** Requests as plain text: `wrk.format` for each request would take longer than the server does. */
function numberedRequests(url: string, header: string): string {
  const head = [
    'POST /orders HTTP/1.1',
    `Host: ${new URL(url).host}`,
    'Content-Type: application/json',
    `Content-Length: ${ORDER.length}`,
    `${header}: ${randomBytes(8).toString('hex')}-`,
  ];
  return `local head = '${head.join('\\r\\n')}'
local tail = '\\r\\n\\r\\n${ORDER}'
local number = 0
request = function()
  number = number + 1
  return head .. number .. tail
end
`;
}

/** `os.clock` is the CPU time of the whole process: user and system, all threads. */
const REPORT = `done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('${RESULT_PREFIX}{"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"errors":%d,"cpuS":%f}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout, os.clock()))
end
`;

/** Runs wrk against `url`: a closed loop, each connection posts the next order when the last is answered. */
export async function load(url: string, options: LoadOptions): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-wrk-'));
  try {
    const script = join(folder, 'post.lua');
    const { wrk, connections, seconds, numberedHeader, bodies = [ORDER], core } = options;
    const { path = '/orders', mediaType = 'application/json' } = options;
    const requests =
      numberedHeader === undefined
        ? requestsWith(bodies, mediaType)
        : numberedRequests(url, numberedHeader);
    await writeFile(script, requests + REPORT);
    const shape = [
      '--threads',
      '1',
      '--connections',
      `${connections}`,
      '--duration',
      `${seconds}s`,
    ];
    const pinned = core === undefined ? [] : ['taskset', '--cpu-list', `${core}`];
    const [program, ...args] = [...pinned, wrk, ...shape, '--script', script, `${url}${path}`];
    const { stdout } = await run(program!, args);
    return readResult(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readResult(stdout: string): Load {
  const line = stdout.split('\n').find((text) => text.startsWith(RESULT_PREFIX));
  if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
  const result = JSON.parse(line.slice(RESULT_PREFIX.length)) as Record<string, number>;
  const seconds = result.durationUs! / 1e6;
  return {
    requests: result.requests!,
    seconds,
    generatorRatio: result.cpuS! / seconds,
    requestsPerSecond: result.requests! / seconds,
    p50Ms: result.p50Us! / 1000,
    p99Ms: result.p99Us! / 1000,
    errors: result.errors!,
  };
}

/** The path of wrk, which is installed if it is missing. */
export async function wrkProgram(): Promise<string> {
  // From dist/bench: the script lies outside what is compiled.
  const tools = await import(new URL('../../scripts/tools.mjs', import.meta.url).href);
  return tools.ensureTool('wrk');
}

const POST_CONNECTIONS_MAX = 256;

/**
 * Posts exactly `orders` orders, each with its own username, one request at a time on each connection. Written for
 * known responses, so it is cheaper than an HTTP client.
 *
 * @throws Error at the first response other than 200
 */
export async function postOrders(url: string, orders: number): Promise<void> {
  const { hostname, port } = new URL(url);
  let next = 0;
  const postOn = async () => {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    while (next < orders) {
      socket.write(orderRequest(`user-${next++}`));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      const line = answer.toString('latin1', 0, answer.indexOf('\r'));
      if (!line.startsWith('HTTP/1.1 200')) throw new Error(`${url} responded ${line}`);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: Math.min(POST_CONNECTIONS_MAX, orders) }, postOn));
}

function orderRequest(username: string): string {
  const body = JSON.stringify({ product_id: '33', count: '3', username });
  const head = 'POST /orders HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n';
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}
