import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ConsumerConfig, JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import { inspectJetStream } from '../../src/journal/jetstream/inspect.js';
import { NO_FILES } from '../../src/journal/nats/access-files.js';
import {
  type Declaration,
  declarations,
  type StreamRole,
} from '../../src/journal/nats/declarations.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import { OperatorFault } from '../../src/model/fault.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { commitAll, fresh, NOTHING, newFrameId, take } from './frames.js';
import { withManager } from './jetstream-api.js';
import { appenderOf, FRAMES, sourceOf } from './jetstream-opened.js';

const HOUR_NS = 3_600_000_000_000;

/** Values of one setting that differ from what Forebay declares; further settings that the server then needs. */
interface Case {
  readonly value: unknown;
  readonly with?: Readonly<Record<string, unknown>>;
  /** Set after the stream was created, because the server takes it only then. */
  readonly isLater?: boolean;
  readonly roles?: readonly StreamRole[];
  /** `named` by check and serve; or orders are delivered. */
  readonly is: 'named' | 'harmless';
}

const named = (value: unknown, more: Partial<Case> = {}): Case => ({ value, is: 'named', ...more });
const harmless = (value: unknown, more: Partial<Case> = {}): Case => ({
  value,
  is: 'harmless',
  ...more,
});

/** Every setting of a stream; the compiler checks that none is left out. */
const STREAM_CASES: Readonly<Record<keyof StreamConfig, readonly Case[]>> = {
  name: [],
  subjects: [named(['other.orders'])],
  retention: [
    named('limits'),
    named('interest'),
    named('workqueue', { roles: ['dead letters', 'ledger', 'foreign messages'] }),
  ],
  storage: [named('memory')],
  max_consumers: [named(1), harmless(2)],
  sealed: [named(true, { isLater: true })],
  first_seq: [harmless(1000)],
  allow_msg_ttl: [harmless(true)],
  allow_msg_counter: [named(true, { roles: ['ledger'] })],
  allow_msg_schedules: [harmless(true, { roles: ['ledger'] })],
  allow_atomic: [harmless(true)],
  persist_mode: [named('async')],
  description: [harmless('of the shop')],
  max_msgs_per_subject: [named(1), named(-1, { roles: ['dead letters'] })],
  max_msgs: [harmless(100), named(10, { roles: ['ledger'] })],
  max_age: [named(5e9, { with: { duplicate_window: 5e9 } }), named(0, { roles: ['ledger'] })],
  max_bytes: [harmless(10_000_000), named(10_000, { roles: ['ledger'] })],
  max_msg_size: [
    named(1000),
    harmless(2_000_000, { roles: ['orders', 'dead letters', 'ledger'] }),
    harmless(-1),
  ],
  discard: [named('old'), named('new', { roles: ['ledger'] })],
  discard_new_per_subject: [
    named(true, { with: { max_msgs_per_subject: 1 }, roles: ['dead letters'] }),
  ],
  no_ack: [named(true)],
  duplicate_window: [named(60e9)],
  sources: [named([{ name: 'SOURCE' }])],
  allow_rollup_hdrs: [harmless(true)],
  num_replicas: [],
  placement: [harmless({ tags: [] })],
  deny_delete: [
    named(true, { roles: ['orders', 'dead letters', 'foreign messages'] }),
    harmless(true, { roles: ['ledger'] }),
  ],
  deny_purge: [harmless(true)],
  allow_direct: [harmless(true)],
  mirror_direct: [harmless(true)],
  republish: [harmless({ src: '>', dest: 'copy.>' })],
  metadata: [harmless({ shop: 'one' })],
  subject_transform: [named({ src: '>', dest: 'moved.>' })],
  compression: [harmless('s2')],
  consumer_limits: [
    harmless({ max_ack_pending: 65_536, inactive_threshold: HOUR_NS }),
    named({ max_ack_pending: 10 }),
  ],
  subject_delete_marker_ttl: [harmless(60e9, { with: { allow_msg_ttl: true }, roles: ['ledger'] })],
  mirror: [named({ name: 'SOURCE' }, { with: { subjects: [] } })],
};

/** Every setting of a consumer; the compiler checks that none is left out. */
const CONSUMER_CASES: Readonly<Record<keyof ConsumerConfig, readonly Case[]>> = {
  name: [],
  durable_name: [],
  ack_policy: [named('none'), named('all')],
  deliver_policy: [named('new'), named('last')],
  deliver_group: [named('some', { with: { deliver_subject: 'pushed' } })],
  flow_control: [named(true, { with: { deliver_subject: 'pushed', idle_heartbeat: 5e9 } })],
  idle_heartbeat: [named(5e9, { with: { deliver_subject: 'pushed' } })],
  opt_start_seq: [named(1000, { with: { deliver_policy: 'by_start_sequence' } })],
  opt_start_time: [named('2100-01-01T00:00:00Z', { with: { deliver_policy: 'by_start_time' } })],
  rate_limit_bps: [named(1024, { with: { deliver_subject: 'pushed' } })],
  replay_policy: [named('original')],
  pause_until: [named('2100-01-01T00:00:00Z')],
  description: [harmless('of the shop')],
  ack_wait: [named(1e9)],
  max_deliver: [named(3)],
  sample_freq: [harmless('100')],
  max_ack_pending: [named(10)],
  max_waiting: [named(1)],
  headers_only: [named(true)],
  deliver_subject: [named('pushed')],
  max_batch: [harmless(1)],
  max_expires: [harmless(100e6)],
  inactive_threshold: [harmless(HOUR_NS)],
  backoff: [named([30e9, 60e9], { with: { max_deliver: 5 } }), named([30e9])],
  max_bytes: [harmless(1_000_000)],
  num_replicas: [harmless(1)],
  mem_storage: [named(true)],
  filter_subject: [named('other.orders')],
  filter_subjects: [named(['other.orders'])],
  metadata: [harmless({ shop: 'one' })],
  priority_groups: [named(['a'], { with: { priority_policy: 'overflow' } })],
  priority_policy: [named('pinned_client', { with: { priority_groups: ['a'] } })],
  priority_timeout: [
    named(60e9, { with: { priority_policy: 'pinned_client', priority_groups: ['a'] } }),
  ],
};

for (const version of NATS_VERSIONS) testSettings(version);

function testSettings(version: NatsVersion): void {
  describe(`every setting of existing streams and consumers, on ${version}`, () => {
    let server: NatsServer;
    let streams = 0;
    before(async () => {
      server = await NatsServer.start({ version });
      await withManager(server, (manager) =>
        manager.streams.add({ name: 'SOURCE', subjects: ['source'] }),
      );
    });
    after(() => server.stop());

    for (const [setting, cases] of Object.entries(STREAM_CASES)) {
      for (const given of cases) {
        for (const role of given.roles ?? ['orders']) {
          test(`${role}: ${setting} ${JSON.stringify(given.value)}: ${given.is}`, (t) =>
            judge(role, setting, given, (why) => t.skip(why)));
        }
      }
    }

    for (const [setting, cases] of Object.entries(CONSUMER_CASES)) {
      for (const given of cases) {
        for (const role of ['fresh frames', 'retries']) {
          test(`${role}: ${setting} ${JSON.stringify(given.value)}: ${given.is}`, (t) =>
            judge(role, setting, given, (why) => t.skip(why)));
        }
      }
    }

    /** Lays out a journal with that setting, and finds out what check and serve make of it. */
    async function judge(
      role: string,
      setting: string,
      given: Case,
      skip: (why: string) => void,
    ): Promise<void> {
      const stream = `S${streams++}`;
      const refusal = await layOut(stream, role, setting, given);
      // No operator can set it: this server does not know it, or not together with the others.
      if (refusal !== '') return skip(refusal);
      const inspect = () =>
        inspectJetStream({
          nats: [server.url],
          natsStream: stream,
          natsReplicas: 1,
          natsMonitor: [],
          ...FRAMES,
          ...NO_FILES,
        });
      let facts = await inspect();
      // It gives a server 3 s, of which a busy machine may need more.
      while (facts.fault.endsWith('has not answered yet')) facts = await inspect();
      const told = [
        facts.fault,
        facts.refusal,
        ...facts.declared.flatMap(({ difference, pause }) => [difference, pause]),
      ].filter((text) => text !== '');
      if (given.is === 'harmless') {
        assert.deepEqual(told, []);
        await delivers(stream);
      } else {
        assert.equal(told.length, 1, `check says nothing about ${setting}`);
        assert.match(told[0]!, /^NATS (stream|consumer) |^NATS refuses /);
        await serveSays(stream, told[0]!);
      }
    }

    /** The reason of the server when it does not take that setting; else empty. */
    async function layOut(
      stream: string,
      role: string,
      setting: string,
      given: Case,
    ): Promise<string> {
      return withManager(server, async (manager) => {
        for (const declaration of declarations(jetStreamNames(stream), FRAMES)) {
          const isMeant = declaration.role === role;
          const changed = { ...given.with, [setting]: given.value };
          try {
            const config = await create(manager, declaration, isMeant ? changed : {}, given);
            const found = config[setting];
            if (isMeant && found !== given.value && !found)
              return `this server does not know ${setting}`;
          } catch (error) {
            if (isMeant) return (error as Error).message;
            // Such as a consumer on a stream whose limits forbid it: serve has to find out.
            if (declaration.kind === 'stream') throw error;
          }
        }
        return '';
      });
    }

    async function serveSays(stream: string, told: string): Promise<void> {
      const log: string[] = [];
      const parts = {
        newFrameId,
        acceptedOrders: () => 0,
        retryMsMax: 60_000,
        log: (_event: string, line: string) => void log.push(line),
      };
      const source = sourceOf({ servers: [server.url], stream }, parts);
      try {
        if (!told.includes('is paused until')) {
          await assert.rejects(source.ready, (error) => {
            assert.ok(error instanceof OperatorFault, String(error));
            assert.equal(error.exitCode, 2);
            assert.ok(error.message.startsWith(told), `${error.message}\n${told}`);
            return true;
          });
          return;
        }
        await source.ready;
        await untilSaid(() => source.reason === told && log.includes(told));
      } finally {
        await source.close();
      }
    }

    /** Fresh frames, a retry and a dead letter go through. */
    async function delivers(stream: string): Promise<void> {
      const place = { servers: [server.url], stream };
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
      const appender = appenderOf(place, 10_000, () => {});
      const source = sourceOf(place, parts);
      try {
        await Promise.all([appender.ready, source.ready]);
        await commitAll(appender, [fresh(2), fresh(2), fresh(2)]);
        const [first, ...others] = await take(source, 3);
        await Promise.all(others.map((delivery) => delivery.settle(NOTHING)));
        await first!.settle({
          refile: [{ positions: [0], attempt: 2, notBeforeMs: 0 }],
          dead: [{ position: 1, reason: 'of a test' }],
        });
        const [retry] = await take(source, 1);
        assert.equal(retry!.frame.attempt, 2);
        await retry!.settle(NOTHING);
        const counts = await withManager(server, async ({ streams }) => [
          (await streams.info(stream)).state.messages,
          (await streams.info(`${stream}_DEAD`)).state.messages,
        ]);
        assert.deepEqual(counts, [0, 1]);
      } finally {
        await appender.close();
        await source.close();
      }
    }
  });
}

async function untilSaid(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function create(
  manager: JetStreamManager,
  declaration: Declaration,
  changed: Readonly<Record<string, unknown>>,
  { isLater = false }: Case,
): Promise<Readonly<Record<string, unknown>>> {
  const { name, wanted } = declaration;
  const config = { ...wanted, ...(isLater ? {} : changed) };
  if (declaration.kind === 'consumer') {
    // What replaces the single filter.
    if ('filter_subjects' in config) Reflect.deleteProperty(config, 'filter_subject');
    const made = await manager.consumers.add(declaration.stream, {
      durable_name: name,
      ...config,
    });
    return made.config as unknown as Readonly<Record<string, unknown>>;
  }
  const made = await manager.streams.add({ name, ...(config as Partial<StreamConfig>) });
  const info = isLater ? await manager.streams.update(name, changed) : made;
  return info.config as unknown as Readonly<Record<string, unknown>>;
}
