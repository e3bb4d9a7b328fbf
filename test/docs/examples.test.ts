import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { HandlerModule, Order, Outcome } from '../../src/model/order.js';
import { eventually } from '../support/orders.js';
import { codeBlocks, ROOT } from './pages.js';

const CONTEXT = { attemptsMax: 5, options: { workMs: 0, errorRate: 0 } };
const folder = mkdtempSync(join(tmpdir(), 'forebay-handlers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Loads an example by the file name in its first line, from each page that has it. */
async function examples(name: string): Promise<HandlerModule[]> {
  const found = ['README.md', 'docs/guides/handlers.md']
    .flatMap(codeBlocks)
    .filter(({ text }) => text.startsWith(`// ${name}\n`));
  return Promise.all(
    found.map(({ text }, i) => {
      const file = join(folder, `${i}-${name}`);
      writeFileSync(file, text);
      return import(pathToFileURL(file).href) as Promise<HandlerModule>;
    }),
  );
}

function ordersOf(counts: readonly string[]): Order[] {
  return counts.map((count, i) => ({
    id: `frame-${i}`,
    attempt: 1,
    acceptedAt: 0,
    data: { product_id: '1', count, username: 'm' },
    json: JSON.stringify({ product_id: '1', count, username: 'm' }),
    headers: {},
  }));
}

describe('the example shop.mjs', () => {
  it('returns one outcome per order, on each page', async () => {
    const modules = await examples('shop.mjs');
    assert.equal(modules.length, 2);
    for (const { default: handle } of modules) {
      assert.deepEqual(await handle(ordersOf(['0', '1']), CONTEXT), ['dead', 'done']);
    }
  });
});

describe('the example api.mjs', () => {
  let server: Server;
  let handle: HandlerModule['default'];
  let open = 0;
  let openMax = 0;
  /** While it is not null, requests wait here for their answer. */
  let held: (() => void)[] | null = null;
  const keys: unknown[] = [];
  /** By the order's count. */
  const answers: Readonly<Record<string, number>> = { 1: 200, 2: 400, 3: 503, 4: 429 };

  function answer(response: ServerResponse, body: string): void {
    open--;
    response.writeHead(answers[JSON.parse(body).count]!).end('{}');
  }

  before(async () => {
    server = createServer((request, response) => {
      openMax = Math.max(openMax, ++open);
      keys.push(request.headers['idempotency-key']);
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        if (held === null) answer(response, body);
        else held.push(() => answer(response, body));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    process.env.SHOP_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`;
    handle = (await examples('api.mjs'))[0]!.default;
  });
  after(() => server.closeAllConnections());
  after(() => server.close());

  it('gives each order the outcome of its answer', async () => {
    const outcomes = await handle(ordersOf(['1', '2', '3', '4']), CONTEXT);
    assert.deepEqual(outcomes, ['done', 'dead', 'retry', 'retry']);
    assert.deepEqual(keys.toSorted(), ['frame-0', 'frame-1', 'frame-2', 'frame-3']);
  });

  it('has at most 8 requests open', async () => {
    const waiting: (() => void)[] = [];
    held = waiting;
    const handled = handle(ordersOf(Array(100).fill('1')), CONTEXT);
    await eventually('8 requests are open', () => waiting.length === 8);
    // Time for a ninth to arrive.
    await new Promise((resolve) => setTimeout(resolve, 100));
    held = null;
    for (const respond of waiting) respond();
    assert.deepEqual((await handled) as Outcome[], Array(100).fill('done'));
    assert.equal(openMax, 8);
  });

  it('pauses the pool if the API does not answer', async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    await assert.rejects(async () => handle(ordersOf(['1']), CONTEXT), { pause: true });
  });
});

describe('the example program.mjs', () => {
  it('starts a server, posts an order and closes it', async () => {
    const [block] = codeBlocks('docs/reference/node-api.md').filter(({ text }) =>
      text.startsWith('// program.mjs\n'),
    );
    const built = pathToFileURL(join(ROOT, 'dist', 'src', 'index.js')).href;
    const file = join(folder, 'program.mjs');
    writeFileSync(file, block!.text.replace("from 'forebay'", `from '${built}'`));
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
    assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+ http:\/\/127\.0\.0\.1:\d+\n200\n$/);
  });
});
