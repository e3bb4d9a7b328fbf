import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cpuSeconds, residentMaxMb } from '../../bench/process-figures.js';
import { withDeadline } from '../support/deadline.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { post, VALID_BODY } from '../support/raw-http.js';

const MIB = 1024 ** 2;
const FLOOD_BYTES = 50 * MIB;
const WRITE_BYTES = 256 * 1024;
/** The heap of an intake thread, the buffers of the kernel and those of one read. Without a bound it was more than 500 MB. */
const GROWTH_MB_MAX = 96;
/** Orders of others after which a connection that takes no more bytes counts as blocked. */
const OTHER_ORDERS = 20;

const request = (method: string, path: string, headers = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

function posted(body: string, headers: Readonly<Record<string, string>> = {}): string {
  const { head, body: bytes } = post(body, headers);
  return head + bytes.toString();
}

const PREFLIGHT = 'Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n';

/** Requests by the kind of their answer. */
const KINDS: Readonly<Record<string, string>> = {
  '404': request('GET', '/'),
  '404 to HEAD': request('HEAD', '/'),
  '405': request('PUT', '/orders'),
  '405 to HEAD': request('HEAD', '/orders'),
  '415': posted(VALID_BODY, { 'Content-Type': 'text/plain' }),
  '400': posted('{}'),
  '400 for the key': posted(VALID_BODY, { 'Idempotency-Key': 'k'.repeat(65) }),
  '413': posted(' '.repeat(5000)),
  'receipts of no order': request('GET', '/orders/x'),
  receipts: request('GET', '/orders/01M83MSMYH5PA2B9QP00000000-0'),
  'receipts to HEAD': request('HEAD', '/orders/01M83MSMYH5PA2B9QP00000000-0'),
  preflights: request('OPTIONS', '/orders', PREFLIGHT),
  orders: posted(VALID_BODY),
};

/** On a busy machine, the disk can take longer than the default. */
const PATIENT = ['--commit-ms-max', '60000'];

/** A client that sends and never reads. */
class DeafClient {
  readonly #socket: Socket;
  #isClosed = false;

  static async open(url: string): Promise<DeafClient> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const client = new DeafClient(socket);
    await withDeadline(new Promise((resolve) => socket.once('connect', resolve)), 'a connection');
    return client;
  }

  private constructor(socket: Socket) {
    this.#socket = socket.pause();
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#isClosed = true;
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @returns whether the socket takes more at once */
  write(text: string): boolean {
    return this.#socket.write(text);
  }

  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Sends until all is sent, the server has closed the connection, or takes no more while it serves others. */
  async flood(text: string, others: OrderClient): Promise<void> {
    const piece = text.repeat(Math.ceil(WRITE_BYTES / text.length));
    for (let sent = 0; sent < FLOOD_BYTES && !this.#isClosed; sent += piece.length) {
      if (this.write(piece)) continue;
      for (let i = 0; i < OTHER_ORDERS && this.isBlocked && !this.#isClosed; i++) {
        assert.equal((await others.post(`other-${i}`)).status, 200);
      }
      if (this.isBlocked) return;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

for (const { http, skip } of ENGINES) {
  describe(`answers that nobody reads, --http ${http}`, { skip }, () => {
    let forebay: ForebayProcess;
    let others: OrderClient;
    before(async () => {
      const flags = ['--http', http, '--threads', '1', '--drain', 'off', ...PATIENT];
      forebay = await startForebay([...flags, '--cors-origin', 'https://shop.example']);
      others = new OrderClient(forebay.url);
      // What follows must not count the memory that any load takes.
      await others.postAll(Array.from({ length: 2000 }, (_, i) => `warm-up-${i}`));
    });
    after(async () => {
      others.close();
      assert.equal(await forebay.stop(), 0);
    });

    for (const [kind, text] of Object.entries(KINDS)) {
      it(`${kind}: memory is bounded, others are served, and no core is held`, async () => {
        const beforeMb = residentMaxMb(forebay.pid);
        const clients = await Promise.all([1, 2].map(() => DeafClient.open(forebay.url)));
        await Promise.all(clients.map((client) => client.flood(text, others)));
        assert.equal((await others.post('afterwards')).status, 200);
        const grownMb = residentMaxMb(forebay.pid) - beforeMb;
        assert.ok(grownMb < GROWTH_MB_MAX, `${grownMb.toFixed(0)} MB more`);
        await eventually('no core is held', async () => {
          const startedS = cpuSeconds(forebay.pid);
          await new Promise((resolve) => setTimeout(resolve, 250));
          return cpuSeconds(forebay.pid) - startedS < 0.1;
        });
        for (const client of clients) client.close();
      });
    }

    it('500: the same', async (t) => {
      const flags = ['--http', http, '--threads', '1', '--rps-limit', '1'];
      const limited = await startForebay(flags, { owner: t });
      const beforeMb = residentMaxMb(limited.pid);
      const client = await DeafClient.open(limited.url);
      await client.flood(KINDS.orders!, others);
      const grownMb = residentMaxMb(limited.pid) - beforeMb;
      assert.ok(grownMb < GROWTH_MB_MAX, `${grownMb.toFixed(0)} MB more`);
      client.close();
      assert.equal(await limited.stop(), 0);
    });
  });
}

const NOT_FOUND = 'forebay_http_responses_total{status="404"}';
const UNREAD = 'forebay_unread_connections_total';
const OPEN = 'forebay_open_connections';
/** uWebSockets.js ends a connection whose request line arrives in two pieces, which happens to long floods. */
const TRIES = 20;

/** Answers of 404 that the kernel takes for a client that does not read. */
async function answersTaken(forebay: ForebayProcess, others: OrderClient): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const [notFound, unread] = [await metric(forebay, NOT_FOUND), await metric(forebay, UNREAD)];
    const client = await DeafClient.open(forebay.url);
    await client.flood(KINDS['404']!, others);
    // A socket that does not read learns only from its writes that it is closed.
    await eventually('the client is closed', () => {
      client.write(KINDS['404']!);
      return client.isClosed;
    });
    if ((await metric(forebay, UNREAD)) > unread)
      return (await metric(forebay, NOT_FOUND)) - notFound;
  }
  throw new Error('no flood was closed for not reading');
}

/**
 * A client that has got nearly so many answers of 404 as the kernel took for another, and has read none. The kernel takes
 * fewer for some connections than for others, so each try sends fewer.
 */
async function nearlyFull(forebay: ForebayProcess, taken: number): Promise<DeafClient> {
  for (let i = 0; i < TRIES; i++) {
    const answers = Math.floor(taken * (0.98 - i / TRIES / 2));
    const [answered, open] = [await metric(forebay, NOT_FOUND), await metric(forebay, OPEN)];
    const client = await DeafClient.open(forebay.url);
    client.write(KINDS['404']!.repeat(answers));
    // A client that neither reads nor writes does not learn that it is closed.
    const isClosed = async () => client.isClosed || (await metric(forebay, OPEN)) <= open;
    await eventually('all are answered, or the client is closed', async () => {
      // Answers to the client before may be counted late.
      return (await isClosed()) || (await metric(forebay, NOT_FOUND)) >= answered + answers;
    });
    if (!(await isClosed())) return client;
    client.close();
  }
  throw new Error('each client was closed');
}

/** uWebSockets.js takes the next order of a connection only when the one before is answered, so this client waits for that. */
describe('orders sent one after the other by a client that never reads', {
  skip: ENGINES[0].skip,
}, () => {
  it('end its connection with --http uws, once the kernel takes no more answers', async (t) => {
    const flags = ['--http', 'uws', '--threads', '1', '--drain', 'off', ...PATIENT];
    // Tens of thousands of flushes take minutes on a busy disk.
    const data = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'forebay-'));
    t.after(() => rmSync(data, { recursive: true, force: true }));
    const forebay = await startForebay(flags, { owner: t, data });
    const others = new OrderClient(forebay.url, 1);
    const taken = await answersTaken(forebay, others);
    const client = await nearlyFull(forebay, taken);
    const unread = await metric(forebay, UNREAD);
    for (let i = 0; i < taken && !client.isClosed; i++) {
      client.write(KINDS.orders!);
      // Its order comes later, so it is answered later.
      await others.post(`other-${i}`);
    }
    assert.ok(client.isClosed, `${taken} orders were answered`);
    assert.equal(await metric(forebay, UNREAD), unread + 1);
    others.close();
    assert.equal(await forebay.stop(), 0);
  });
});
