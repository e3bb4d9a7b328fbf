/** A dead letter that another operator replays, and that fails again, between the list and the action. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Selection } from '../../../src/cli/dlq/arguments.js';
import { drop } from '../../../src/cli/dlq/drop.js';
import { replay } from '../../../src/cli/dlq/replay.js';
import { openJetStreamDeadLetters } from '../../../src/journal/jetstream/dead-letters.js';
import { LocalDeadLetters } from '../../../src/journal/local/dead-letters.js';
import { deadLetterPublication } from '../../../src/journal/nats/headers.js';
import { jetStreamNames } from '../../../src/journal/nats/names.js';
import { putDeadLetter } from '../../../src/journal/store/dead-letter-rows.js';
import { LocalStore } from '../../../src/journal/store/local-store.js';
import type { DeadLetterStore, StoredDeadLetter } from '../../../src/model/dead-letters.js';
import type { BodyValidator } from '../../../src/model/stages.js';
import { newFrameId } from '../../journal/frames.js';
import { withManager } from '../../journal/jetstream-api.js';
import { NatsServer } from '../../support/nats.js';

interface Opened {
  readonly store: DeadLetterStore;
  readonly file: (letter: StoredDeadLetter) => Promise<void>;
}

const KINDS = {
  'local journal': async (t: TestContext): Promise<Opened> => {
    const folder = mkdtempSync(join(tmpdir(), 'forebay-dlq-'));
    const store = new LocalStore(folder);
    t.after(async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    });
    const file = (letter: StoredDeadLetter) => store.write(() => putDeadLetter(store, letter));
    return { store: new LocalDeadLetters(store, { newFrameId, log: console.error }), file };
  },
  JetStream: async (t: TestContext): Promise<Opened> => {
    const server = await NatsServer.start();
    t.after(() => server.stop());
    const names = jetStreamNames('FOREBAY');
    await withManager(server, async (manager) => {
      const { stream, freshSubject, retrySubject, ledgerStream, ledgerSubject } = names;
      await manager.streams.add({ name: stream, subjects: [freshSubject, retrySubject] });
      await manager.streams.add({ name: ledgerStream, subjects: [ledgerSubject] });
      const dead = { name: names.deadStream, subjects: [names.deadSubjects] };
      await manager.streams.add({ ...dead, max_msgs_per_subject: 1 });
    });
    const nc = await connect({ servers: server.url });
    t.after(() => nc.close());
    const store = await openJetStreamDeadLetters([server.url], 'FOREBAY', console.error);
    t.after(() => store.close());
    const file = async (letter: StoredDeadLetter) => {
      const { subject, payload, headers } = deadLetterPublication(names, letter, newFrameId());
      await jetstream(nc).publish(subject, payload, { headers });
    };
    return { store, file };
  },
} as const;

function letter(reason: string, lastAtMs: number): StoredDeadLetter {
  const body = Buffer.from('{"product_id":"1","count":"1","username":"x"}');
  const orderId = '01K3V6GQ7M8ZQW4T9XB2C00000-1';
  return { orderId, reason, attempts: 1, firstAtMs: 1, lastAtMs, body };
}

/** @param meanwhile done when the letters were listed */
async function run(
  { store }: Opened,
  how: 'drop' | 'replay',
  selection: Selection,
  meanwhile: () => Promise<void>,
): Promise<string> {
  let printed = '';
  const listing: DeadLetterStore = {
    async *list() {
      yield* store.list();
      await meanwhile();
    },
    find: async (id) => {
      const found = await store.find(id);
      await meanwhile();
      return found;
    },
    replay: (...given) => store.replay(...given),
    drop: (...given) => store.drop(...given),
    close: async () => {},
  };
  const context = {
    store: listing,
    validator: { validate: () => true, fault: '' } as unknown as BodyValidator,
    schema: '',
    limiter: () => assert.fail(),
    print: async (text: string | Uint8Array) => {
      printed += text;
    },
    note: () => {},
    columns: 80,
    stop: new AbortController().signal,
  };
  if (how === 'drop') await drop(context, { do: 'drop', selection, dryRun: false });
  else await replay(context, { do: 'replay', selection, dryRun: false, rate: 0 });
  return printed;
}

for (const [kind, open] of Object.entries(KINDS)) {
  describe(`dlq beside another operator, ${kind}`, () => {
    for (const how of ['drop', 'replay'] as const) {
      for (const selection of [{ by: 'reason', text: 'old' }, { by: 'all' }] as const) {
        it(`${how} by ${selection.by} leaves a letter that is not the listed one`, async (t) => {
          const opened = await open(t);
          await opened.file(letter('old', 2));
          const printed = await run(opened, how, selection, () => opened.file(letter('new', 3)));
          assert.match(printed, /(dropped|replayed) 0,.* gone 1\n$/);
          assert.equal((await opened.store.find(letter('', 0).orderId))?.reason, 'new');
        });
      }

      it(`${how} by id takes the letter that is there`, async (t) => {
        const opened = await open(t);
        const { orderId } = letter('', 0);
        await opened.file(letter('old', 2));
        const selection = { by: 'ids', ids: [orderId] } as const;
        const printed = await run(opened, how, selection, () => opened.file(letter('new', 3)));
        assert.match(printed, /(dropped|replayed) 1,.* gone 0\n$/);
        assert.equal(await opened.store.find(orderId), null);
      });
    }
  });
}
