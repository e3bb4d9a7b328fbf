import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const ORDER = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';

export interface LoadOptions {
  /** Path of the load generator. */
  readonly wrk: string;
  readonly connections: number;
  readonly seconds: number;
  /** The name of a header that has another value in each request. */
  readonly numberedHeader?: string;
  /** Posted in turn; left out: ORDER. Not together with a numbered header. */
  readonly bodies?: readonly string[];
  /** The core on which the generator is kept, with taskset; left out: wherever the system puts it. */
  readonly core?: number;
}

/** What the load generator saw. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx and 3xx, and errors of sockets. */
  readonly errors: number;
  /** Answered, whatever the answer. */
  readonly requests: number;
  readonly seconds: number;
  /** Processor time of the generator, as a share of one core. */
  readonly generatorRatio: number;
}

const MARK = 'RESULT ';

const POST = `wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/json'
`;

/** The quickest for wrk is one request that never changes. */
function requestsWith(bodies: readonly string[]): string {
  if (bodies.length === 1) return `${POST}wrk.body = ${luaString(bodies[0]!)}\n`;
  return `${POST}local bodies = { ${bodies.map(luaString).join(', ')} }
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

/** JSON's own escapes are not Lua's. */
function luaString(text: string): string {
  return `[==[${text}]==]`;
}

/** Requests put together by hand: `wrk.format` would take longer than the server does. */
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

/** `os.clock` is the processor time of the whole process: user and system, all threads. */
const REPORT = `done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('${MARK}{"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"errors":%d,"cpuS":%f}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout, os.clock()))
end
`;

/** Posts orders at `url` as fast as they are answered, over so many connections at once. */
export async function load(url: string, options: LoadOptions): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-wrk-'));
  try {
    const script = join(folder, 'post.lua');
    const { connections, seconds, numberedHeader, bodies = [ORDER], core } = options;
    const requests =
      numberedHeader === undefined ? requestsWith(bodies) : numberedRequests(url, numberedHeader);
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
    const [program, ...args] = [...pinned, options.wrk, ...shape, '--script', script];
    const { stdout } = await run(program!, [...args, `${url}/orders`]);
    return readResult(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readResult(stdout: string): Load {
  const line = stdout.split('\n').find((text) => text.startsWith(MARK));
  if (line === undefined) throw new Error(`wrk said no result:\n${stdout}`);
  const result = JSON.parse(line.slice(MARK.length)) as Record<string, number>;
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

/** The path of the load generator, which is got where it is missing. */
export async function wrkProgram(): Promise<string> {
  // From dist/bench: the script lies outside what is compiled.
  const tools = await import(new URL('../../scripts/tools.mjs', import.meta.url).href);
  return tools.ensureTool('wrk');
}
