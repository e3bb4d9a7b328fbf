import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type LedgerHandler, ledgerHandler } from '../drain/handlers.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { post, RawConnection } from '../support/raw-http.js';

/** A valid POST in one piece, for an order with this user name. */
function whole(username: string, headers: Readonly<Record<string, string>> = {}): string {
  const { head, body } = post(orderBody(username), {
    'Content-Type': 'application/json',
    ...headers,
  });
  return head + body.toString();
}

/** The same in chunks, without the end of the last one. */
function chunked(username: string): string {
  const body = orderBody(username);
  const head = 'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  return `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n`;
}

/** Stops the process, and resolves when every thread of it has stopped. */
async function pause(forebay: ForebayProcess): Promise<void> {
  forebay.signal('SIGSTOP');
  const tasks = `/proc/${forebay.pid}/task`;
  // The state is the first field after the name in parentheses.
  const isStopped = (task: string) =>
    readFileSync(`${tasks}/${task}/stat`, 'latin1').split(') ').at(-1)!.startsWith('T');
  await eventually('every thread has stopped', () => readdirSync(tasks).every(isStopped));
}

/** What follows a valid order in the same segment. */
const AFTER: Readonly<Record<string, string>> = {
  'a request of HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
  'bytes that are not HTTP': 'X Y\r\n\r\n',
  'a request without Host': 'GET / HTTP/1.1\r\n\r\n',
  'a request with both lengths':
    'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a request with 9 KB of headers': `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(9000)}\r\n\r\n`,
  'a request with 90 KB of headers': `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(90_000)}\r\n\r\n`,
  'a valid GET': 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'NUL bytes': '\0\0\0\0\r\n\r\n',
};

describe('an order is kept if and only if its client gets 200', () => {
  const ends: (() => Promise<void>)[] = [];
  let forebay: ForebayProcess;
  let ledger: LedgerHandler;
  let names = 0;
  before(async () => {
    ledger = await ledgerHandler({ after: (end) => ends.push(end) });
    forebay = await startForebay(['--handler', ledger.file, '--threads', '1']);
  });
  after(async () => {
    assert.equal(await forebay.stop(), 0);
    for (const end of ends) await end();
  });

  /** The statuses on a connection up to its end, or up to as many as are expected. */
  async function statuses(connection: RawConnection, expected: number): Promise<number[]> {
    const found: number[] = [];
    try {
      while (found.length < expected) found.push((await connection.answer()).status);
    } catch {
      // The connection ended.
    }
    return found;
  }

  /** Whether an order was processed once everything accepted so far has been. */
  async function isKept(username: string): Promise<boolean> {
    const marker = `marker-${names++}`;
    const connection = await RawConnection.open(forebay.url);
    await connection.write(whole(marker));
    assert.equal((await connection.answer()).status, 200);
    connection.destroy();
    const usernames = async () => (await ledger.lines()).map((line) => line.username);
    await eventually('the marker is processed', async () => (await usernames()).includes(marker));
    await eventually(
      'nothing waits',
      async () => (await metric(forebay, 'forebay_journal_pending_orders')) === 0,
    );
    return (await usernames()).includes(username);
  }

  for (const [what, more] of Object.entries(AFTER)) {
    for (const [how, key] of [
      ['', ''],
      [' with an idempotency key', 'k'],
    ] as const) {
      it(`an order${how}, and in the same segment ${what}`, async () => {
        const username = `user-${names++}`;
        const headers: Record<string, string> = key === '' ? {} : { 'Idempotency-Key': username };
        const connection = await RawConnection.open(forebay.url);
        await connection.write(whole(username, headers) + more);
        const [first] = await statuses(connection, 1);
        connection.destroy();
        assert.equal(await isKept(username), first === 200);
      });
    }
  }

  it('two orders in one segment', async () => {
    const [one, two] = [`user-${names++}`, `user-${names++}`];
    const connection = await RawConnection.open(forebay.url);
    await connection.write(whole(one) + whole(two));
    const [first, second] = await statuses(connection, 2);
    connection.destroy();
    assert.equal(await isKept(one), first === 200);
    assert.equal(await isKept(two), second === 200);
  });

  it('an order whose client ends its sending half before the server has read it', async () => {
    const username = `user-${names++}`;
    const connection = await RawConnection.open(forebay.url);
    await pause(forebay);
    await connection.write(whole(username));
    await connection.endSending();
    forebay.signal('SIGCONT');
    const [first] = await statuses(connection, 1);
    connection.destroy();
    assert.equal(await isKept(username), first === 200);
  });

  it('an order in chunks with trailers', async () => {
    const username = `user-${names++}`;
    const connection = await RawConnection.open(forebay.url);
    await connection.write(`${chunked(username)}X-Sum: 1\r\n\r\n`);
    const [first] = await statuses(connection, 1);
    connection.destroy();
    assert.equal(await isKept(username), first === 200);
  });
});
