import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJetStreamAppender } from '../../src/journal/jetstream/open.js';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { FailoverAppender } from '../../src/journal/spool/failover-appender.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { type AppenderUnderTest, testAppender } from '../journal/appender-conformance.js';
import { newFrameId } from '../journal/frames.js';
import { FRAMES, sourceOf } from '../journal/jetstream-opened.js';
import { NatsServer } from '../support/nats.js';

const STREAM = 'FAILOVER';

/** With NATS up, the other side is the stream; with NATS down, the spool. */
async function create(isUp: boolean): Promise<AppenderUnderTest> {
  const server = await NatsServer.prepare();
  if (isUp) await server.start();
  const place = { servers: [server.url], stream: STREAM };
  const folder = mkdtempSync(join(tmpdir(), 'forebay-failover-'));
  const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
  return {
    openAppender: async () => {
      // With NATS up, what takes longer goes to the spool, on a busy machine too.
      const bounds = { commitMsMax: 10_000, retries: false };
      const primary = openJetStreamAppender(
        { ...place, replicas: 1, frames: FRAMES },
        bounds,
        () => {},
      );
      if (isUp) await primary.ready;
      return new FailoverAppender({
        primary,
        spool: new LocalAppender(new LocalStore(folder)),
        storeKeys: () => {},
        counts: new ThreadCounts(createCounts(1), 0),
        spooledOrders: () => 0,
        spooledOrdersMax: 1_000_000,
      });
    },
    lines: async () => {
      const source = isUp ? sourceOf(place, parts) : new LocalSource(new LocalStore(folder), parts);
      const found = await source.pull(1000, AbortSignal.timeout(10_000));
      const lines = found.flatMap(({ frame }) =>
        Buffer.from(frame.payload).toString().split('\n').slice(0, -1),
      );
      await source.close();
      return lines;
    },
    remove: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

testAppender('failover, NATS up', () => create(true));
testAppender('failover, NATS down', () => create(false));
