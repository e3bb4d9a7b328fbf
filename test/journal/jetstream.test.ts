import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { testAppender, writingSide } from './appender-conformance.js';
import { testJournal } from './conformance.js';
import { newFrameId } from './frames.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';
import type { JournalUnderTest } from './journal-under-test.js';

const STREAM = 'CONFORM';

async function create(version: NatsVersion): Promise<JournalUnderTest> {
  const server = await NatsServer.start({ version });
  const place = { servers: [server.url], stream: STREAM };
  return {
    openAppender: async () => {
      const appender = appenderOf(place, 10_000, console.error);
      await appender.ready;
      return appender;
    },
    openSource: async (acceptedOrders) => {
      const log = console.error;
      const source = sourceOf(place, { newFrameId, acceptedOrders, retryMsMax: 60_000, log });
      await source.ready;
      return source;
    },
    threadAppender: { journal: 'jetstream', url: server.url, stream: STREAM },
    deadLetters: () => deadLetters(server.url),
    remove: () => server.stop(),
  };
}

async function deadLetters(url: string) {
  const nc = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(nc);
    const { state } = await manager.streams.info(`${STREAM}_DEAD`);
    const letters = [];
    for (let seq = 1; seq <= state.last_seq; seq++) {
      const found = await manager.streams.getMessage(`${STREAM}_DEAD`, { seq });
      const { header, data } = found!;
      letters.push({
        orderId: header.get('Forebay-Order-Id'),
        reason: header.get('Forebay-Reason'),
        attempts: Number(header.get('Forebay-Attempt')),
        firstAtMs: Number(header.get('Forebay-Accepted-Ms')),
        lastAtMs: Number(header.get('Forebay-Last-Ms')),
        body: data,
      });
    }
    return letters;
  } finally {
    await nc.close();
  }
}

for (const version of NATS_VERSIONS) {
  testJournal(`jetstream, ${version}`, () => create(version));
  testAppender(`jetstream, ${version}`, async () => writingSide(await create(version)));
}
