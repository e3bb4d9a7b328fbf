import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { JetStreamAppender } from '../../src/journal/jetstream/appender.js';
import type { JetStreamSource } from '../../src/journal/jetstream/source.js';
import { framePublication } from '../../src/journal/nats/headers.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import type { Frame } from '../../src/model/frame.js';
import type { LogEvent } from '../../src/model/log.js';
import { runCheck, temporaryFolder } from '../cli/check/run-check.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { runForebay } from '../support/forebay.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { commitAll, fresh, NOTHING, newFrameId, plain, take, takeFor, until } from './frames.js';
import { storeAgain, withManager } from './jetstream-api.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';

const STREAM = 'MUTATED';
const MUTATIONS = Number(process.env.FOREBAY_FUZZ_MUTATIONS ?? 400);
const SEED = Number(process.env.FOREBAY_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface RawMessage {
  readonly subject: string;
  readonly head: Buffer;
  readonly payload: Buffer;
}

/** The bytes of a frame's message as an appender sends them. */
function rawMessage(frame: Frame): RawMessage {
  const { subject, payload, headers } = framePublication(jetStreamNames(STREAM), frame);
  return { subject, head: Buffer.from(String(headers)), payload: Buffer.from(payload) };
}

/** Publishes bytes that no client would send. */
async function publishRaw(server: NatsServer, messages: readonly RawMessage[]): Promise<void> {
  const { hostname, port } = new URL(server.url);
  const socket = dial(Number(port), hostname);
  socket.write('CONNECT {"headers":true,"verbose":false,"protocol":1}\r\n');
  for (const { subject, head, payload } of messages) {
    const sizes =
      head.length === 0 ? [payload.length] : [head.length, head.length + payload.length];
    socket.write(`${head.length === 0 ? 'PUB' : 'HPUB'} ${subject} ${sizes.join(' ')}\r\n`);
    socket.write(Buffer.concat([head, payload, Buffer.from('\r\n')]));
  }
  socket.write('PING\r\n');
  let heard = '';
  for await (const data of socket) {
    heard += String(data);
    if (heard.includes('PONG')) break;
  }
  assert.ok(!heard.includes('-ERR'), heard);
  socket.destroy();
  if (!socket.closed) await once(socket, 'close');
}

function keyed(frame: Frame): Frame {
  return { ...frame, keys: [{ position: 0, digest: 'c29tZSBkaWdlc3Q', key: newFrameId() }] };
}

/** A digest that was changed counts as unknown. */
function withoutSchema(frame: Frame) {
  const { schema: _, ...rest } = plain(frame);
  return rest;
}

for (const version of NATS_VERSIONS) testMutated(version);

function testMutated(version: NatsVersion): void {
  describe(`frames that were changed in NATS, on ${version}`, () => {
    const told: [LogEvent, string][] = [];
    let server: NatsServer;
    let appender: JetStreamAppender;
    let source: JetStreamSource;

    before(async () => {
      server = await NatsServer.start({ version });
      const place = { servers: [server.url], stream: STREAM };
      const log = (event: LogEvent, line: string) => void told.push([event, line]);
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log };
      appender = appenderOf(place, HANG_MS_MAX, () => {});
      source = sourceOf(place, parts);
      await Promise.all([appender.ready, source.ready]);
    });
    after(async () => {
      await Promise.all([appender.close(), source.close()]);
      await server.stop();
    });

    const foreign = async () =>
      (await withManager(server, ({ streams }) => streams.info(`${STREAM}_FOREIGN`))).state
        .messages;
    const waiting = async () =>
      (await withManager(server, ({ streams }) => streams.info(STREAM))).state.messages;

    /** Settles all that is delivered until the stream is empty; returns those frames. */
    async function drainAll(): Promise<Frame[]> {
      const frames: Frame[] = [];
      while ((await waiting()) > 0) {
        for (const delivery of await takeFor(source, 300)) {
          frames.push(delivery.frame);
          await delivery.settle(NOTHING);
        }
      }
      return frames;
    }

    /** Each is set aside, and a frame behind it is processed. */
    async function areSetAside(messages: readonly RawMessage[]): Promise<void> {
      const before = await foreign();
      await publishRaw(server, messages);
      const behind = fresh(2);
      await commitAll(appender, [behind]);
      assert.deepEqual((await drainAll()).map(plain), [plain(behind)]);
      assert.equal(await foreign(), before + messages.length);
    }

    test('a byte of an order, a count, an id, a time, a key or the checksum is changed', async () => {
      const changes: readonly ((message: RawMessage) => RawMessage)[] = [
        (m) => ({ ...m, payload: replaced(m.payload, '"3"', '"4"') }),
        (m) => ({ ...m, payload: Buffer.concat([m.payload, m.payload]) }),
        (m) => ({ ...m, payload: m.payload.subarray(0, -1) }),
        (m) => ({ ...m, payload: Buffer.alloc(0) }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Count: 02', 'Forebay-Count: 01') }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Count: 02', 'Forebay-Count: 02e9') }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Count: 02\r\n', '') }),
        (m) => ({ ...m, head: replaced(m.head, 'Nats-Msg-Id: 0', 'Nats-Msg-Id: 1') }),
        (m) => ({ ...m, head: replaced(m.head, 'Accepted-Ms: 1', 'Accepted-Ms: 2') }),
        (m) => ({ ...m, head: replaced(m.head, 'Accepted-Ms: ', 'Accepted-Ms: -') }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Keys: 0', 'Forebay-Keys: 1') }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Keys: 0', 'Forebay-Keys: x') }),
        (m) => ({ ...m, head: replaced(m.head, ' c29tZSBkaWdlc3Q ', ' ') }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Sum: 1', 'Forebay-Sum: 2') }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Sum: 1 ', 'Forebay-Sum: 1 0') }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Sum:', 'Forebay-Sun:') }),
        (m) => ({ ...m, head: replaced(m.head, 'Forebay-Sum:', 'Forebay-Sum;') }),
        (m) => ({ ...m, head: Buffer.alloc(0) }),
        (m) => ({ ...m, head: Buffer.from('NATS/1.0\r\n\r\n') }),
        (m) => ({ ...m, head: Buffer.from('NATS/1.0 503\r\n\r\n') }),
        (m) => ({ ...m, head: Buffer.from('NATS/1.0 408 Request Timeout\r\nNo-Colon\r\n\r\n') }),
        (m) => ({ ...m, head: Buffer.from('NATS/1.0\r\nForebay-Count: 2\r\nForebay-Count: 3') }),
      ];
      await areSetAside(changes.map((change) => change(rawMessage(keyed(fresh(2))))));
    });

    test('a frame without a checksum, as an earlier version writes it, is processed', async () => {
      const frame = keyed(fresh(3));
      const message = rawMessage(frame);
      const text = String(message.head).replace(/Forebay-Sum: .*\r\n/, '');
      const head = Buffer.from(text.replace('Forebay-Count: 0', 'Forebay-Count: '));
      assert.notEqual(head.length, message.head.length);
      await publishRaw(server, [{ ...message, head }]);
      assert.deepEqual((await drainAll()).map(plain), [plain(frame)]);
    });

    test('another frame under the id of one that is being processed is set aside', async () => {
      const frame = fresh(2);
      await commitAll(appender, [frame]);
      const [delivery] = await take(source, 1);
      const before = await foreign();
      const behind = fresh(1);
      await storeAgain(server, STREAM, fresh(3, frame.id));
      await commitAll(appender, [behind]);
      const [next] = await take(source, 1);
      assert.equal(next!.frame.id, behind.id);
      await Promise.all([delivery!.settle(NOTHING), next!.settle(NOTHING)]);
      assert.deepEqual(await drainAll(), []);
      assert.equal(await foreign(), before + 1);
    });

    test(`${MUTATIONS} frames with random changes, seed ${SEED}: processed as accepted, or set aside`, async () => {
      const next = random(SEED);
      const accepted = new Map<string, unknown>();
      const messages = Array.from({ length: MUTATIONS }, () => {
        const frame = next() < 0.3 ? keyed(fresh(2)) : fresh(1 + Math.floor(next() * 3));
        accepted.set(frame.id, withoutSchema(frame));
        return mutated(rawMessage(frame), next);
      });
      const before = await foreign();
      // Two changes can give the same id: the server stores the second only without its dedupe.
      const sent = new Set(
        messages.map(({ head }) => /Nats-Msg-Id: *(\S*)/.exec(String(head))?.[1]),
      );
      await publishRaw(server, messages);
      const behind = fresh(1);
      await commitAll(appender, [behind]);
      const frames = await drainAll();
      for (const frame of frames) {
        if (frame.id === behind.id) continue;
        const { schema } = frame;
        assert.ok(schema === undefined || schema === behind.schema, `seed ${SEED}: ${schema}`);
        const altered = `seed ${SEED}: processed altered`;
        assert.deepEqual(withoutSchema(frame), accepted.get(frame.id), altered);
      }
      assert.ok(
        frames.some(({ id }) => id === behind.id),
        'what is behind them is processed',
      );
      const moved = (await foreign()) - before;
      assert.ok(frames.length - 1 + moved >= Math.min(sent.size, MUTATIONS), 'none is lost');
      assert.ok(frames.length - 1 + moved <= MUTATIONS);
      assert.ok(moved > MUTATIONS / 4, `${moved} were set aside`);
    });

    test('entries of the ledger that are none, or damaged, are ignored and logged', async () => {
      const subject = jetStreamNames(STREAM).ledgerSubject;
      const texts = [
        'text',
        'null',
        '[]',
        '{"by":"x","n":"y","c":[1]}',
        '{"by":"x","n":"y","s":[[null]]}',
        '{"by":"x","n":"y","s":[["a",1,[{}]]]}',
        '{"by":"x","n":"y","d":[[1]]}',
        '{"by":"x","n":"y","r":"abc"}',
      ];
      const head = Buffer.from('NATS/1.0\r\nForebay-Sum: 1 00000000\r\n\r\n');
      await publishRaw(server, [
        ...texts.map((text) => ({ subject, head: Buffer.alloc(0), payload: Buffer.from(text) })),
        { subject, head, payload: Buffer.from('{"by":"x","n":"y"}') },
      ]);
      const frame = fresh(2);
      await commitAll(appender, [frame]);
      assert.deepEqual((await drainAll()).map(plain), [plain(frame)]);
      await until(
        () => told.filter(([event]) => event === 'ledger-unreadable').length === texts.length + 1,
        'each is logged',
      );
    });

    test('a changed dead letter is neither listed nor replayed; the commands list all and take them out', async (t) => {
      await commitAll(appender, [fresh(1)]);
      const [delivery] = await take(source, 1);
      await delivery!.settle({ refile: [], dead: [{ position: 0, reason: 'of a test' }] });
      const orderId = `${delivery!.frame.id}-0`;
      const found = await withManager(server, ({ streams }) =>
        streams.getMessage(`${STREAM}_DEAD`, { last_by_subj: `mutated.dead.${orderId}` }),
      );
      const lines = [...found!.header].flatMap(([name, values]) =>
        name.startsWith('Forebay-') ? values.map((value) => `${name}: ${value}\r\n`) : [],
      );
      await publishRaw(server, [
        {
          subject: found!.subject,
          head: Buffer.from(`NATS/1.0\r\n${lines.join('')}\r\n`),
          payload: replaced(Buffer.from(found!.data), '"3"', '"4"'),
        },
      ]);
      const folder = temporaryFolder(t as never);
      const flags = ['--nats', server.url, '--nats-stream', STREAM, '--data', folder];
      const listed = await runForebay(['dlq', 'list', ...flags]);
      assert.match(listed.stderr, /cannot be read: its checksum does not match/);
      const replay = await runForebay(['dlq', 'replay', orderId, ...flags]);
      assert.equal(replay.code, 1);
      const { about, findings } = await runCheck(...flags);
      assert.ok(about('guarantee'));
      const kept = findings.find(({ facts }) => facts.name === `${STREAM}_FOREIGN`)!;
      assert.equal(kept.verdict, 'warn');
      assert.match(kept.fix, /dlq unreadable/);
      const unreadable = await runForebay(['dlq', 'unreadable', '--json', ...flags]);
      const entries = unreadable.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const count = (await foreign()) + 1;
      assert.equal(entries.length, count);
      assert.ok(entries.some(({ what, name }) => what === 'dead letter' && name === orderId));
      const one = entries[0].id as string;
      const dry = await runForebay(['dlq', 'set-aside', one, '--dry-run', ...flags]);
      assert.match(dry.stdout, new RegExp(`would move ${one}`));
      assert.equal((await runForebay(['dlq', 'set-aside', one, ...flags])).code, 0);
      assert.equal((await foreign()) + 1, count - 1);
      const all = await runForebay(['dlq', 'set-aside', '--all', ...flags]);
      assert.equal(all.code, 0);
      assert.match(all.stdout, new RegExp(`set aside ${count - 1}`));
      assert.equal(await foreign(), 0);
      const files = readdirSync(join(folder, 'damaged'));
      assert.equal(files.length, count);
      const letter = files.find((file) => file.includes('_DEAD-'))!;
      assert.match(readFileSync(join(folder, 'damaged', letter), 'utf8'), /"count":"4"/);
      const after = await runForebay(['dlq', 'unreadable', ...flags]);
      assert.equal(after.code, 0);
    });
  });
}

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  const text = bytes.toString('latin1');
  assert.ok(text.includes(from), `${text} has no ${from}`);
  return Buffer.from(text.replace(from, to), 'latin1');
}

/** One to three changes of bytes in head or payload; the first line and the last line end of the head stay. */
function mutated(message: RawMessage, next: () => number): RawMessage {
  const parts = { head: Buffer.from(message.head), payload: Buffer.from(message.payload) };
  const below = (n: number) => Math.floor(next() * n);
  const changes = 1 + below(3);
  for (let i = 0; i < changes; i++) {
    const part = next() < 0.5 ? 'head' : 'payload';
    const from = part === 'head' ? 'NATS/1.0\r\n'.length : 0;
    const bytes = parts[part];
    const end = part === 'head' ? bytes.length - 4 : bytes.length;
    if (end - from < 2) continue;
    const at = from + below(end - from);
    const until = Math.min(end, at + 1 + below(4));
    const cut = [bytes.subarray(0, at), bytes.subarray(until)] as const;
    const kind = below(4);
    if (kind === 0) bytes[at] = bytes[at]! ^ (1 << below(8));
    else if (kind === 1) parts[part] = Buffer.concat(cut);
    else if (kind === 2) {
      parts[part] = Buffer.concat([cut[0], bytes.subarray(at, until), bytes.subarray(at)]);
    } else parts[part] = Buffer.concat([cut[0], Buffer.from([below(256)]), bytes.subarray(at)]);
  }
  return { ...message, ...parts };
}
