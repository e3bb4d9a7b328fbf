import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { exchange, RawConnection } from '../support/raw-http.js';

const LINES = 'application/x-ndjson';
const ARRAY = 'application/json';

interface Fault {
  readonly index?: number;
  readonly line?: number;
  readonly pointer: string;
  readonly keyword: string;
  readonly name?: string;
}

interface BatchBody {
  readonly result: string;
  readonly id: string;
  readonly count: number;
  readonly received?: number;
  readonly refused?: readonly number[];
  readonly faults?: readonly Fault[];
  readonly ordersMax?: number;
  readonly bytesMax?: number;
}

type Headers = Readonly<Record<string, string>>;

async function postBatch(
  forebay: ForebayProcess,
  body: string | Buffer,
  headers: Headers = { 'content-type': LINES },
): Promise<{ status: number; headers: Response['headers']; body: BatchBody }> {
  const answer = await fetch(`${forebay.url}/orders/batch`, { method: 'POST', body, headers });
  return {
    status: answer.status,
    headers: answer.headers,
    body: (await answer.json()) as BatchBody,
  };
}

const orders = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => orderBody(`user-${from + i}`));
const lines = (all: readonly string[]) => all.map((order) => `${order}\n`).join('');
const BAD = '{"product_id":"33","count":"101","username":"x"}';

const accepted = (forebay: ForebayProcess) => metric(forebay, 'forebay_orders_accepted_total');

/** The client may have its answer before the order is counted. */
async function acceptedIs(forebay: ForebayProcess, orders: number): Promise<void> {
  await eventually(`${orders} are accepted`, async () => (await accepted(forebay)) === orders);
}

/** Of every order of a batch. */
async function receiptsOf(forebay: ForebayProcess, id: string, count: number): Promise<string[]> {
  const [frameId, first] = id.split('-');
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const answer = await fetch(`${forebay.url}/orders/${frameId}-${Number(first) + i}`);
      return ((await answer.json()) as { status: string }).status;
    }),
  );
}

describe('POST /orders/batch', () => {
  let forebay: ForebayProcess;
  before(async () => {
    const flags = ['--threads', '1', '--frame-orders-max', '120', '--frame-bytes-max', '20000'];
    forebay = await startForebay([...flags, '--body-bytes-max', '1000', '--drain-rate', '1']);
  });
  after(async () => assert.equal(await forebay.stop(), 0));

  it('keeps NDJSON: the ids of its orders follow the first', async () => {
    const { status, body, headers } = await postBatch(forebay, lines(orders(20)));
    assert.equal(status, 200);
    assert.match(body.id, /^[0-9A-HJKMNP-TV-Z]{26}-[0-9]+$/);
    assert.deepEqual(body, { result: 'created', id: body.id, count: 20 });
    assert.equal(headers.get('x-order-id'), body.id);
    assert.equal(headers.get('x-order-count'), '20');
    assert.equal(headers.get('content-type'), 'application/json');
    assert.equal(headers.get('preference-applied'), null);
    const receipts = await receiptsOf(forebay, body.id, 20);
    assert.ok(
      receipts.every((receipt) => receipt === 'accepted' || receipt === 'done'),
      receipts.join(),
    );
  });

  for (const type of [LINES, 'application/jsonl', 'Application/NDJSON; charset=utf-8']) {
    it(`takes lines as ${type}`, async () => {
      const { status } = await postBatch(forebay, lines(orders(2)), { 'content-type': type });
      assert.equal(status, 200);
    });
  }

  it('keeps a JSON array', async () => {
    const { status, body } = await postBatch(forebay, `[${orders(7).join(',')}]`, {
      'content-type': ARRAY,
    });
    assert.deepEqual([status, body.count], [200, 7]);
  });

  it('leaves out empty lines; CRLF and a missing last line feed do not matter', async () => {
    const [a, b] = orders(2);
    const { status, body } = await postBatch(forebay, `\n${a}\r\n \t\r\n\n${b}`);
    assert.deepEqual([status, body.count], [200, 2]);
    const bad = await postBatch(forebay, `\n${a}\r\n\r\n${BAD}`);
    assert.equal(bad.status, 400);
    assert.deepEqual(bad.body.faults, [
      { index: 1, line: 4, pointer: '/count', keyword: 'pattern' },
    ]);
  });

  it('keeps nothing if an order is invalid, and names each fault', async () => {
    const before = await accepted(forebay);
    const some = orders(5);
    const text = [some[0], BAD, some[1], '{"product_id":"1"}', some[2], '{'].join('\n');
    const { status, body, headers } = await postBatch(forebay, text);
    assert.equal(status, 400);
    assert.equal(headers.get('x-invalid'), '/1/count pattern');
    assert.deepEqual(body, {
      result: 'invalid',
      received: 6,
      faults: [
        { index: 1, line: 2, pointer: '/count', keyword: 'pattern' },
        { index: 3, line: 4, pointer: '/', keyword: 'required', name: 'count' },
        { index: 5, line: 6, pointer: '/', keyword: 'json' },
      ],
    });
    assert.equal(await accepted(forebay), before);
  });

  it('names the first 100 faults', async () => {
    const { body } = await postBatch(forebay, `${BAD}\n`.repeat(110));
    assert.equal(body.faults!.length, 100);
    assert.equal(body.faults![99]!.line, 100);
  });

  it('with Prefer: handling=lenient, keeps the valid orders and says which are left out', async () => {
    const before = await accepted(forebay);
    const some = orders(3);
    for (const [type, text] of [
      [LINES, [some[0], BAD, some[1], '[1]', some[2]].join('\n')],
      [ARRAY, `[${[some[0], BAD, some[1], '[1]', some[2]].join()}]`],
    ] as const) {
      const headers = { 'content-type': type, prefer: 'respond-async, Handling="lenient"; x=y' };
      const answer = await postBatch(forebay, text, headers);
      const withLine = (line: number) => (type === LINES ? { line } : {});
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('preference-applied'), 'handling=lenient');
      assert.equal(answer.headers.get('x-order-count'), '3');
      assert.deepEqual(answer.body, {
        result: 'created',
        id: answer.body.id,
        count: 3,
        received: 5,
        refused: [1, 3],
        faults: [
          { index: 1, ...withLine(2), pointer: '/count', keyword: 'pattern' },
          { index: 3, ...withLine(4), pointer: '/', keyword: 'type' },
        ],
      });
    }
    await acceptedIs(forebay, before + 6);
  });

  it('answers 400 to a lenient batch without a valid order', async () => {
    const headers = { 'content-type': LINES, prefer: 'handling=lenient' };
    const { status, body } = await postBatch(forebay, `${BAD}\n${BAD}`, headers);
    assert.deepEqual([status, body.faults!.length], [400, 2]);
  });

  it('says that handling=strict was applied', async () => {
    const headers = { 'content-type': LINES, prefer: 'handling=strict, handling=lenient' };
    const { status, headers: answered } = await postBatch(forebay, `${BAD}\n${orders(1)}`, headers);
    assert.deepEqual([status, answered.get('preference-applied')], [400, 'handling=strict']);
  });

  for (const [text, fault] of [
    ['', '/ json'],
    ['[', '/ json'],
    ['[]', '/ minItems'],
    ['{}', '/ type'],
    ['null', '/ type'],
    [`[${orders(1)},]`, '/ json'],
    [`[,${orders(1)}]`, '/ json'],
    [`[${orders(1)}]x`, '/ json'],
    [`[${orders(1)}`, '/ json'],
    [`[${orders(1)}}]`, '/ json'],
    [`[${orders(1)} ${orders(1)}]`, '/0 json'],
    [`[${orders(1)},{"username":"]}"]`, '/ json'],
    [`\ufeff[${orders(1)}]`, '/ json'],
  ] as const) {
    it(`answers 400 to the array ${text.slice(0, 24)}, also if lenient`, async () => {
      for (const prefer of ['', 'handling=lenient']) {
        const headers = { 'content-type': ARRAY, prefer };
        const answer = await postBatch(forebay, text, headers);
        assert.deepEqual([answer.status, answer.headers.get('x-invalid')], [400, fault]);
      }
    });
  }

  it('answers 400 to no lines, and to lines of white space', async () => {
    for (const text of ['', '\n\r\n  \t\n']) {
      const answer = await postBatch(forebay, text);
      assert.deepEqual([answer.status, answer.headers.get('x-invalid')], [400, '/ minItems']);
    }
  });

  it('takes as many orders as a frame, and answers 413 to one more and to more bytes', async () => {
    assert.equal((await postBatch(forebay, lines(orders(120)))).body.count, 120);
    const tooMany = await postBatch(forebay, lines(orders(121)));
    assert.equal(tooMany.status, 413);
    const bounds = { result: 'too-large', ordersMax: 120, bytesMax: 20_000 };
    assert.deepEqual(tooMany.body, bounds);
    const before = await accepted(forebay);
    const long = await postBatch(forebay, `${' '.repeat(20_000)}${orders(1)}`);
    assert.deepEqual([long.status, long.body], [413, bounds]);
    const padded = `${orders(1)}${' '.repeat(19_000)}`;
    assert.equal((await postBatch(forebay, padded)).status, 200);
    await acceptedIs(forebay, before + 1);
  });

  it('answers 415 to other media types, and 405 to other methods', async () => {
    for (const type of ['text/plain', 'application/jsonx', '']) {
      const answer = await postBatch(forebay, lines(orders(1)), { 'content-type': type });
      assert.equal(answer.status, 415);
    }
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await fetch(`${forebay.url}/orders/batch`, { method });
      assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST'], method);
    }
  });

  it('takes a gzip body, and refuses one that inflates past the bound', async () => {
    const headers = { 'content-type': LINES, 'content-encoding': 'gzip' };
    const { status, body } = await postBatch(forebay, gzipSync(lines(orders(50))), headers);
    assert.deepEqual([status, body.count], [200, 50]);
    const bomb = await postBatch(forebay, gzipSync(' '.repeat(1_000_000)), headers);
    assert.equal(bomb.status, 413);
  });

  it('takes a body in any pieces, and a chunked one', async () => {
    const text = lines(orders(30));
    const answer = await new Promise<BatchBody>((resolve, reject) => {
      const sent = request(
        `${forebay.url}/orders/batch`,
        { method: 'POST', headers: { 'content-type': LINES } },
        (res) => {
          let body = '';
          res.on('data', (part) => {
            body += part;
          });
          res.on('end', () => resolve(JSON.parse(body) as BatchBody));
        },
      );
      sent.on('error', reject);
      const step = () => new Promise((next) => setTimeout(next, 2));
      void (async () => {
        for (let at = 0; at < text.length; at += 97) {
          sent.write(text.slice(at, at + 97));
          await step();
        }
        sent.end();
      })();
    });
    assert.equal(answer.count, 30);
  });

  it('answers Expect: 100-continue, and 413 at once if the length is announced', async () => {
    const text = lines(orders(2));
    const head = (length: number, expect: string) =>
      `POST /orders/batch HTTP/1.1\r\nHost: x\r\nContent-Type: ${LINES}\r\nContent-Length: ${length}\r\nExpect: ${expect}\r\n\r\n`;
    const connection = await RawConnection.open(forebay.url);
    await connection.write(head(text.length, '100-Continue'));
    assert.equal((await connection.answer()).status, 100);
    await connection.write(text);
    assert.equal((await connection.answer()).status, 200);
    connection.destroy();
    const refused = await exchange(forebay.url, head(20_001, '100-Continue'));
    assert.equal(refused.status, 413);
  });

  it('withdraws the whole batch of a client that disconnects before its frame is sent', async () => {
    const before = await accepted(forebay);
    const text = lines(orders(40));
    let sent = 0;
    await eventually('a batch is withdrawn', async () => {
      const connection = await RawConnection.open(forebay.url);
      await connection.write(
        `POST /orders/batch HTTP/1.1\r\nHost: x\r\nContent-Type: ${LINES}\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      );
      connection.reset();
      sent++;
      return (await metric(forebay, 'forebay_withdrawn_orders_total')) > 0;
    });
    const withdrawn = await metric(forebay, 'forebay_withdrawn_orders_total');
    assert.equal(withdrawn % 40, 0, 'whole batches');
    assert.equal(((await accepted(forebay)) - before) % 40, 0, 'whole batches');
    assert.ok(sent > 0);
  });
});

it('batches that arrive slowly share a bounded memory: what is beyond is answered 503', async (t) => {
  const flags = ['--threads', '1', '--frame-bytes-max', '4000000', '--frame-orders-max', '10000'];
  // No body ends because a busy machine is slow.
  const forebay = await startForebay([...flags, '--body-ms-max', '60000'], { owner: t });
  const part = Buffer.alloc(3_000_000, ' ');
  const head = `POST /orders/batch HTTP/1.1\r\nHost: x\r\nContent-Type: ${LINES}\r\nContent-Length: 3900000\r\n\r\n`;
  const clients = await Promise.all(
    Array.from({ length: 40 }, () => RawConnection.open(forebay.url)),
  );
  t.after(async () => {
    for (const client of clients) client.destroy();
  });
  // 128 MiB have room for 33 buffers of this size.
  const answers = clients.map((client) => client.answer().catch(() => null));
  await Promise.all(
    clients.map((client) => client.write(Buffer.concat([Buffer.from(head), part]))),
  );
  const first = await Promise.race(answers);
  assert.equal(first!.status, 503);
  await eventually('seven are refused', async () => {
    return (await metric(forebay, 'forebay_bodies_refused_total')) >= 7;
  });
  for (const client of clients) client.destroy();
  await eventually('the server has room again', async () => {
    return (await postBatch(forebay, `${orders(1)}${' '.repeat(3_000_000)}`)).status === 200;
  });
});

describe('CORS for batches', () => {
  it('lets a page send and read them', async (t) => {
    const origin = 'https://shop.example';
    const forebay = await startForebay(['--cors-origin', origin], { owner: t });
    const preflight = await fetch(`${forebay.url}/orders/batch`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.headers.get('access-control-allow-methods'), 'POST');
    assert.match(preflight.headers.get('access-control-allow-headers')!, /prefer/);
    const { headers } = await postBatch(forebay, lines(orders(1)), {
      'content-type': LINES,
      origin,
    });
    assert.equal(headers.get('access-control-allow-origin'), origin);
    assert.match(headers.get('access-control-expose-headers')!, /x-order-count/);
  });
});

describe('limits count the orders of a batch', () => {
  it('admits all of a batch or none, and answers 413 to one that never fits', async (t) => {
    const flags = ['--threads', '1', '--rps-limit', '50', '--drain-rate', '1'];
    const forebay = await startForebay(flags, { owner: t });
    const never = await postBatch(forebay, lines(orders(51)));
    assert.deepEqual([never.status, never.body.ordersMax], [413, 50]);
    // Each window has room for one of these only: what is refused takes nothing from the next.
    let created = 0;
    const startedMs = performance.now();
    for (let i = 0; i < 30; i++) {
      const { status, body } = await postBatch(forebay, lines(orders(30)));
      if (status === 200) created++;
      else assert.deepEqual([status, body], [500, { result: 'server-kaput' }]);
    }
    const windows = Math.floor((performance.now() - startedMs) / 1000) + 1;
    assert.ok(created >= 1 && created <= windows, `${created} batches in ${windows} windows`);
  });

  it('answers with the status of --limit-status and says when', async (t) => {
    const flags = ['--threads', '1', '--rps-limit', '10', '--limit-status', '429'];
    const forebay = await startForebay(flags, { owner: t });
    let last = await postBatch(forebay, lines(orders(10)));
    await eventually('a batch is over the limit', async () => {
      last = await postBatch(forebay, lines(orders(10)));
      return last.status !== 200;
    });
    assert.deepEqual([last.status, last.headers.get('retry-after')], [429, '1']);
    assert.match(last.headers.get('ratelimit-policy')!, /^"server";q=10;w=1$/);
  });

  it('bounds a batch by --waiting-orders-max', async (t) => {
    const forebay = await startForebay(['--waiting-orders-max', '10'], { owner: t });
    assert.equal((await postBatch(forebay, lines(orders(11)))).body.ordersMax, 10);
    assert.equal((await postBatch(forebay, lines(orders(10)))).status, 200);
  });
});
