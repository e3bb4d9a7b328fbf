import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { connect, headers } from '@nats-io/transport-node';
import { JetStreamConnection } from '../../src/journal/nats/connection.js';
import { type NatsOptions, NatsServer } from '../support/nats.js';
import { withManager } from './jetstream-api.js';

const STREAM = 'PUBLISHED';
const SUBJECT = 'published.fresh';
/** So long that only an answer can end a test in time. */
const NEVER_MS = 60_000;

async function publisherOf(t: TestContext, options: NatsOptions = {}) {
  const server = await NatsServer.start(options);
  t.after(() => server.stop());
  const connection = new JetStreamConnection({
    servers: [server.url],
    clientName: 'publisher',
    prepare: async () => {},
    log: () => {},
  });
  t.after(() => connection.close());
  await connection.ready;
  return { server, publisher: connection.publisher };
}

function message(stream = STREAM, subject = SUBJECT) {
  return { stream, subject, payload: Buffer.from('{}\n'), headers: headers() };
}

describe('a publisher', () => {
  it('returns the sequence number of each of many concurrent messages', async (t) => {
    const { server, publisher } = await publisherOf(t);
    await withManager(server, (manager) =>
      manager.streams.add({ name: STREAM, subjects: [SUBJECT] }),
    );
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () => publisher.attempt(message(), NEVER_MS)),
    );
    assert.deepEqual(
      outcomes,
      Array.from({ length: 200 }, (_, i) => ({ verdict: 'stored', seq: i + 1 })),
    );
  });

  it('reports at once that no stream takes the subject', async (t) => {
    const { publisher } = await publisherOf(t);
    const outcome = await publisher.attempt(message(), NEVER_MS);
    assert.deepEqual(outcome, {
      verdict: 'refused',
      reason: `NATS: no stream takes messages for ${STREAM}`,
      isUnfit: false,
      isUnserved: true,
    });
  });

  it('reports at once that another stream takes the subject', async (t) => {
    const { server, publisher } = await publisherOf(t);
    await withManager(server, (manager) =>
      manager.streams.add({ name: 'OTHER', subjects: [SUBJECT] }),
    );
    const outcome = await publisher.attempt(message(), NEVER_MS);
    assert.equal(outcome.verdict, 'refused');
    assert.match((outcome as { reason: string }).reason, /expected stream does not match/);
  });

  it('does not accept an answer that is not from a stream', async (t) => {
    const { server, publisher } = await publisherOf(t);
    const nc = await connect({ servers: server.url });
    t.after(() => nc.close());
    for (const answer of ['{"stream":"OTHER","seq":1}', '{"stream":"PUBLISHED"}', 'ok', '']) {
      const asked = nc.subscribe(SUBJECT, {
        max: 1,
        callback: (_, asks) => void asks.respond(answer),
      });
      await nc.flush();
      const outcome = await publisher.attempt(message(), NEVER_MS);
      assert.equal(outcome.verdict, 'ambiguous', answer);
      await asked.closed;
    }
  });

  it('reports at once that it may not publish on a subject, and still publishes on others', async (t) => {
    const { server, publisher } = await publisherOf(t, { publishDenied: SUBJECT });
    const free = 'published.free';
    await withManager(server, (manager) =>
      manager.streams.add({ name: STREAM, subjects: [SUBJECT, free] }),
    );
    const [denied, allowed] = await Promise.all([
      publisher.attempt(message(), NEVER_MS),
      publisher.attempt(message(STREAM, free), NEVER_MS),
    ]);
    assert.equal(denied.verdict, 'ambiguous');
    assert.match((denied as { reason: string }).reason, /Permissions Violation for Publish/);
    assert.deepEqual(allowed, { verdict: 'stored', seq: 1 });
  });

  it('gives up when the server does not answer or disconnects', async (t) => {
    const { server, publisher } = await publisherOf(t);
    await withManager(server, (manager) =>
      manager.streams.add({ name: STREAM, subjects: [SUBJECT] }),
    );
    await server.freeze();
    assert.deepEqual(await publisher.attempt(message(), 50), {
      verdict: 'ambiguous',
      reason: 'NATS: timeout',
    });
    const underWay = publisher.attempt(message(), NEVER_MS);
    await server.kill();
    assert.deepEqual(await underWay, { verdict: 'ambiguous', reason: 'NATS: connection lost' });
  });
});
