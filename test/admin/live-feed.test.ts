import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { LiveFeed, VIEWERS_MAX } from '../../src/admin/live-feed.js';
import { eventually } from '../support/orders.js';
import { CountingSource } from './live-source.js';

interface Event {
  readonly id: string;
  readonly kind: string;
  /** An array for the kind `log`. */
  readonly data: { boot?: string; now?: { done: number }; rows?: { rps: number }[] };
}

/** A feed on its own server. */
async function startFeed(t: TestContext, source: CountingSource, tickMs: number) {
  const feed = new LiveFeed(
    source,
    () => ({}),
    async () => {},
    tickMs,
  );
  const server = createServer((request, response) => {
    feed.join(response, new URL(request.url!, 'http://x').searchParams.get('after') ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  feed.start();
  t.after(() => {
    feed.close();
    server.closeAllConnections();
    server.close();
  });
  return { feed, port: (server.address() as AddressInfo).port };
}

async function view(t: TestContext, port: number, after = ''): Promise<IncomingMessage> {
  const asked = get({ host: '127.0.0.1', port, path: `/?after=${after}`, agent: false });
  asked.on('error', () => {});
  t.after(() => asked.destroy());
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return response.setEncoding('utf8');
}

/** The events of a stream; ends with the stream. */
async function* events(stream: IncomingMessage): AsyncGenerator<Event> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = text.slice(0, end).split('\n');
      const field = (name: string) =>
        fields.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      yield { id: field('id'), kind: field('event'), data: JSON.parse(field('data')) };
      text = text.slice(end + 2);
    }
  }
}

/** Reads `wanted` rows; the first event must be `hello`. */
async function rowsOf(stream: IncomingMessage, wanted: number) {
  const rows: number[] = [];
  let boot = '';
  let id = '';
  for await (const event of events(stream)) {
    if (event.kind === 'hello') {
      assert.equal(rows.length, 0);
      boot = event.data.boot!;
      continue;
    }
    if (event.kind !== 'rows') continue;
    id = event.id;
    rows.push(...event.data.rows!.map(({ rps }) => rps));
    assert.equal(event.data.now!.done, rows.at(-1)! + 1, '`now` belongs to the newest row');
    if (rows.length >= wanted) break;
  }
  return { boot, rows, id };
}

function isConsecutive(rows: readonly number[]): boolean {
  return rows.every((row, i) => row === rows[0]! + i);
}

test('a viewer gets the history first, then every row once', async (t) => {
  const source = new CountingSource({ historyS: 5 });
  const { port } = await startFeed(t, source, 10);
  await rowsOf(await view(t, port), 12);
  const { boot, rows } = await rowsOf(await view(t, port), 20);
  assert.equal(boot, 'boot');
  assert.ok(rows[0]! >= 12 - 5 && isConsecutive(rows), `${rows}`);
});

test('a viewer that reconnects gets the rows it missed, or all rows of another process', async (t) => {
  const { port } = await startFeed(t, new CountingSource({ boot: 'one' }), 10);
  const first = await rowsOf(await view(t, port), 3);
  await rowsOf(await view(t, port), 8);
  const again = await rowsOf(await view(t, port, first.id), 3);
  assert.equal(again.rows[0], first.rows.at(-1)! + 1);
  const stranger = await rowsOf(await view(t, port, 'two:7'), 3);
  assert.equal(stranger.rows[0], 0);
  const odd = await rowsOf(await view(t, port, 'one:9999999'), 3);
  assert.equal(odd.rows[0], 0);
});

test('a viewer gets the lines of the log when it comes, and again only when there is a new one', async (t) => {
  const source = new CountingSource();
  const line = (text: string) =>
    ({ atMs: 1, level: 'info', event: 'ready', line: text, facts: '', leftOut: 0 }) as const;
  source.logged = [line('first')];
  const { port } = await startFeed(t, source, 10);
  const seen: unknown[] = [];
  let rows = 0;
  for await (const { kind, data } of events(await view(t, port))) {
    if (kind === 'log') seen.push(data);
    if (kind === 'rows' && ++rows === 5) source.logged = [line('first'), line('second')];
    if (rows === 10) break;
  }
  assert.deepEqual(seen, [[line('first')], [line('first'), line('second')]]);
});

test('a row is recorded once, with any number of viewers and with none', async (t) => {
  const source = new CountingSource();
  const { port } = await startFeed(t, source, 10);
  const viewers = await Promise.all(Array.from({ length: 20 }, () => view(t, port)));
  const seen = await Promise.all(viewers.map((viewer) => rowsOf(viewer, 20)));
  for (const { rows } of seen) {
    assert.ok(isConsecutive(rows));
    assert.equal(rows[0], 0);
    assert.ok(rows.at(-1)! < source.taken);
  }
  await eventually('rows are recorded', () => source.taken >= 40);
});

test('a viewer that does not read is disconnected; another one still gets every row', async (t) => {
  // More than the kernel buffers for a connection.
  const source = new CountingSource({ historyS: 30, paddingBytes: 1 << 20 });
  const { feed, port } = await startFeed(t, source, 100);
  const deaf = connect(port, '127.0.0.1');
  t.after(() => deaf.destroy());
  await once(deaf, 'connect');
  deaf.pause();
  deaf.on('error', () => {});
  deaf.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const { rows } = await rowsOf(await view(t, port), 25);
  assert.ok(isConsecutive(rows));
  await eventually('no viewer is left', () => feed.viewers === 0);
});

test('the number of viewers is bounded; one that leaves makes room', async (t) => {
  const { feed, port } = await startFeed(t, new CountingSource(), 10);
  const viewers = [];
  for (let i = 0; i < VIEWERS_MAX; i++) {
    assert.equal(feed.isFull, false);
    viewers.push(await view(t, port));
  }
  assert.equal(feed.isFull, true);
  viewers[0]!.destroy();
  await eventually('there is room', () => !feed.isFull);
});

test('a source that fails does not end the stream: rows continue when it works again', async (t) => {
  const source = new CountingSource();
  let fails = true;
  const take = source.take.bind(source);
  let failed = 0;
  source.take = () => {
    if (!fails) return take();
    failed++;
    throw new Error('closed');
  };
  const { port } = await startFeed(t, source, 10);
  const viewer = await view(t, port);
  await eventually('three fail', () => failed >= 3);
  fails = false;
  assert.equal((await rowsOf(viewer, 2)).rows[0], 0);
});

test('closing ends every stream at once and accepts no more viewers', async (t) => {
  const { feed, port } = await startFeed(t, new CountingSource(), 10);
  const viewers = await Promise.all(Array.from({ length: 5 }, () => view(t, port)));
  const ended = Promise.all(
    viewers.map(async (viewer) => {
      for await (const _ of events(viewer));
      return viewer.complete;
    }),
  );
  feed.close();
  assert.deepEqual(await ended, [true, true, true, true, true]);
  assert.equal(feed.isFull, true);
});
