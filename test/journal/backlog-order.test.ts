/** What happens to the stream between the requests of one poll of the backlog. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AckPolicy, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { JetStreamBacklog } from '../../src/journal/jetstream/backlog.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import type { StreamRepair } from '../../src/journal/nats/stream-repair.js';
import { NatsServer } from '../support/nats.js';

const names = jetStreamNames('FOREBAY');
const repair = {
  served: () => {},
  repairIfGone: async (_part: string, error: unknown) => {
    throw error;
  },
} as unknown as StreamRepair;

interface Opened {
  readonly nc: NatsConnection;
  readonly manager: JetStreamManager;
  readonly store: (acceptedAtMs: number, count: number) => Promise<void>;
}

async function opened(t: TestContext): Promise<Opened> {
  const server = await NatsServer.start();
  t.after(() => server.stop());
  const nc = await connect({ servers: server.url });
  t.after(() => nc.close());
  const manager = await jetstreamManager(nc);
  const { stream, freshSubject, retrySubject, freshConsumer, retryConsumer } = names;
  await manager.streams.add({ name: stream, subjects: [freshSubject, retrySubject] });
  const ack_policy = AckPolicy.Explicit;
  for (const [name, filter_subject] of [
    [freshConsumer, freshSubject],
    [retryConsumer, retrySubject],
  ] as const) {
    await manager.consumers.add(stream, { durable_name: name, filter_subject, ack_policy });
  }
  const store = async (acceptedAtMs: number, count: number) => {
    const head = headers();
    head.set('Forebay-Accepted-Ms', String(acceptedAtMs));
    head.set('Forebay-Count', String(count));
    await jetstream(nc).publish(freshSubject, 'x', { headers: head });
  };
  return { nc, manager, store };
}

/** The same connection. @param then awaited each time that the server has answered a question about the stream */
function withAnswers(nc: NatsConnection, then: () => Promise<void>): NatsConnection {
  return new Proxy(nc, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      if (name !== 'request') return member.bind(target);
      return async (...given: Parameters<NatsConnection['request']>) => {
        const answer = await target.request(...given);
        if (given[0].endsWith(`STREAM.INFO.${names.stream}`)) await then();
        return answer;
      };
    },
  });
}

/** Of a process that is alone. */
function backlogOf(t: TestContext, acceptedOrders: () => number): JetStreamBacklog {
  const backlog = new JetStreamBacklog(names, acceptedOrders, () => false, repair);
  t.after(() => backlog.stop());
  return backlog;
}

describe('the backlog of a stream', () => {
  it('has the age of the next frame, when the oldest is settled meanwhile', async (t) => {
    const { nc, manager, store } = await opened(t);
    await store(1000, 1);
    await store(2000, 1);
    await store(3000, 1);
    let first = 0;
    const then = async () => {
      if (++first === 3 || first === 4)
        await manager.streams.deleteMessage(names.stream, first - 2);
    };
    const backlog = backlogOf(t, () => 0);
    const connection = withAnswers(nc, then);
    await backlog.start(connection);
    assert.equal(backlog.oldestAcceptedAtMs(), 1000);
    await backlog.start(connection);
    assert.equal(backlog.oldestAcceptedAtMs(), 2000);
    await backlog.start(connection);
    assert.equal(backlog.oldestAcceptedAtMs(), 3000);
  });

  it('counts what this process stores and settles while it counts what was there', async (t) => {
    const { nc, manager, store } = await opened(t);
    let accepted = 0;
    let seq = 0;
    const accept = async () => {
      await store(1000, 10);
      accepted += 10;
      seq++;
    };
    await accept();
    let asked = 0;
    const then = async () => {
      asked++;
      if (asked === 1) await accept();
      if (asked === 2) {
        backlog.settleStarts();
        await manager.streams.deleteMessage(names.stream, 1);
        backlog.settleEnds(1, 10, 0);
        await accept();
      }
    };
    const backlog = backlogOf(t, () => accepted);
    await backlog.start(withAnswers(nc, then));
    assert.equal(backlog.orders(), 20);
    backlog.settleStarts();
    await manager.streams.deleteMessage(names.stream, seq);
    backlog.settleEnds(seq, 10, 0);
    assert.equal(backlog.orders(), 10);
  });

  it('is counted also while this process stores without a pause', async (t) => {
    const { nc, store } = await opened(t);
    let accepted = 0;
    const then = async () => {
      await store(1000, 10);
      accepted += 10;
    };
    await then();
    const backlog = backlogOf(t, () => accepted);
    await backlog.start(withAnswers(nc, then));
    assert.ok(backlog.orders() > 0 && backlog.orders() <= accepted);
  });
});
