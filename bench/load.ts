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
}

/** What the load generator saw. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx and 3xx, and errors of sockets. */
  readonly errors: number;
}

const MARK = 'RESULT ';

const SAME_REQUEST = `wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/json'
wrk.body = '${ORDER}'
`;

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

const REPORT = `done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('${MARK}{"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/** Posts orders at `url` as fast as they are answered, over so many connections at once. */
export async function load(url: string, options: LoadOptions): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-wrk-'));
  try {
    const script = join(folder, 'post.lua');
    const { connections, seconds, numberedHeader } = options;
    const requests =
      numberedHeader === undefined ? SAME_REQUEST : numberedRequests(url, numberedHeader);
    await writeFile(script, requests + REPORT);
    const shape = [
      '--threads',
      '1',
      '--connections',
      `${connections}`,
      '--duration',
      `${seconds}s`,
    ];
    const { stdout } = await run(options.wrk, [...shape, '--script', script, `${url}/orders`]);
    return readResult(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readResult(stdout: string): Load {
  const line = stdout.split('\n').find((text) => text.startsWith(MARK));
  if (line === undefined) throw new Error(`wrk said no result:\n${stdout}`);
  const result = JSON.parse(line.slice(MARK.length)) as Record<string, number>;
  return {
    requestsPerSecond: result.requests! / (result.durationUs! / 1e6),
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
